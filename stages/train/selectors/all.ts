/**
 * Every triplet of the batch, those without a loss included.
 *
 * The losses compute their mean over all triplets at once: no triplet is stored.
 *
 * @equation
 * {(a, p, n): p of a's class, n of another}
 * @when The loss has no margin (`hoffer-ailon`, `soft-margin`) or trains codes (`dtsh`). Under a hinge, triplets that
 * have no loss any more still count in the mean, and learning slows down.
 * @source siamese-triplet's AllTripletSelector (https://github.com/adambielski/siamese-triplet)
 */
import { tripletSelector } from "../selector.ts";

export default tripletSelector({ select: () => "all" });
