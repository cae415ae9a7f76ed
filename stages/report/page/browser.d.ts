/** Scripts for a browser, as runner/code/browser.ts bundles them. */
declare module "*?browser" {
  const script: string;
  export default script;
}
