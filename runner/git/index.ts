export { commitOf, fileAt, isCommitted, type Revision, revisionOf } from "./git.ts";
