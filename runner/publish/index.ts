export { missingForPublish, publish, refuseObstacles, unpublished } from "./publish.ts";
