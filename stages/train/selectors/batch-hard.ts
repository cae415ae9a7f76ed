/**
 * For each anchor, the farthest positive and the nearest negative.
 *
 * One triplet for each image of the batch, with a loss or without.
 *
 * @equation
 * p = argmax |a-p|,  n = argmin |a-n|
 * @when A published baseline is needed. With frozen features and large classes the embeddings collapse to one point;
 * use `semihard-negative` or `mean-negative` there.
 * @source Hermans, Beyer & Leibe 2017, "In defense of the triplet loss for person re-identification", equation 5
 */
import { onePerAnchor, tripletSelector } from "../selector.ts";

export default tripletSelector({ select: (batch) => onePerAnchor(batch, "hard", "hard") });
