export { filesNamed, fillCommand } from "./command.ts";
export { expand, type Reference, type StageInstance, type Study } from "./expand.ts";
export { nothingCalled } from "./interpolate.ts";
export { type CheckRule, load } from "./load.ts";
export { pointOf } from "./matrix.ts";
export { Schemas } from "./schemas.ts";
export { type Setting, settingText } from "./settings.ts";
export { GROUP_SECONDS, POLL_SECONDS, requestOf, type SlurmSettings } from "./slurm-settings.ts";
