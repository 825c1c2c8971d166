import { fewestBlocks as fewestForVerdict } from "../statistics/index.js";

/** What is known of a cell when a process's blocks are shared out. */
export interface AllottableCell {
  readonly id: string;
  /** In this process. */
  readonly fewestBlocks: number;
  /** In this process. */
  readonly mostBlocks: number;
  /** Of all processes before this one. */
  readonly blocksBefore: number;
  readonly secondsPerBlock: number;
  /**
   * Standard deviation of what one block says, over the limit of the claim about it. The
   * largest of several claims; 0 where nothing is claimed.
   */
  readonly noise: number;
}

/** What there is to share out. */
export interface Allowance {
  /** For all blocks of this process. */
  readonly seconds: number;
  /** This one, and those to come before the look. */
  readonly processesLeft: number;
}

/**
 * A cell's blocks are enough when their standard error is this share of the limit. A claim is
 * upheld when the bounds of the difference and of the control, each some two standard errors
 * wide, fit below the limit together: `usual`, in most runs; `sure`, in nearly all.
 */
const decisiveShares = { usual: 1 / 6, sure: 1 / 8 };

/** A balanced square of orders. */
const squareBlocks = 4;

/**
 * Shares out the blocks of one process: each cell gets its fewest. Then the cells that still need
 * blocks to be decided get them, first the one that needs the least time. A cell that needs more
 * than there is keeps its fewest: all other time goes to those that can be decided, until they surely
 * are. The rest goes, square by square, to the one whose standard error is largest against its limit.
 * Only where no cell can be decided does the rest go to all of them.
 *
 * It is told how much the blocks scatter and never what they say, so that it leans to no verdict.
 * The same cells give the same blocks. Where even the fewest take too long, they are what is given.
 *
 * @returns blocks of this process by the id of the cell
 */
export function allotBlocks(
  cells: readonly AllottableCell[],
  { seconds, processesLeft }: Allowance,
): ReadonlyMap<string, number> {
  const blocks = new Map(cells.map(({ id, fewestBlocks }) => [id, fewestBlocks]));
  const given = ({ id }: AllottableCell): number => blocks.get(id) ?? 0;
  let secondsLeft = cells.reduce(
    (left, cell) => left - given(cell) * cell.secondsPerBlock,
    seconds,
  );
  /** Returns how many were given: what is asked for, as far as the cell and the time allow. */
  const give = (cell: AllottableCell, asked: number): number => {
    const fitting = Math.floor(Math.max(0, secondsLeft) / cell.secondsPerBlock);
    const more = Math.max(0, Math.min(asked, cell.mostBlocks - given(cell), fitting));
    blocks.set(cell.id, given(cell) + more);
    secondsLeft -= more * cell.secondsPerBlock;
    return more;
  };
  /** Blocks that this process is short of, if all that are left give the same. */
  const shortOf = (cell: AllottableCell, share: number): number => {
    if (cell.noise === 0) return 0;
    const needed = Math.max(fewestForVerdict, (cell.noise / share) ** 2) - cell.blocksBefore;
    const short = wholeSquares(needed / processesLeft) - given(cell);
    return Math.max(0, Math.min(short, cell.mostBlocks - given(cell)));
  };
  const secondsShort = (cell: AllottableCell, share: number): number =>
    shortOf(cell, share) * cell.secondsPerBlock;
  /** Those that need the least time first; returns the ones that need more than there is. */
  const giveWhatFits = (to: readonly AllottableCell[], share: number): AllottableCell[] => {
    const byTime = to.toSorted((a, b) => secondsShort(a, share) - secondsShort(b, share));
    return byTime.filter((cell) => {
      const fits = secondsShort(cell, share) <= secondsLeft;
      if (fits) give(cell, shortOf(cell, share));
      return !fits;
    });
  };
  let worthMore = cells;
  const outOfReach = giveWhatFits(cells, decisiveShares.usual);
  if (outOfReach.length > 0) {
    const decidable = cells.filter((cell) => !outOfReach.includes(cell));
    giveWhatFits(decidable, decisiveShares.sure);
    if (decidable.some(({ noise }) => noise > 0)) worthMore = decidable;
  }

  const standardError = (cell: AllottableCell): number =>
    cell.noise / Math.sqrt(cell.blocksBefore + given(cell) * processesLeft);
  let open = worthMore.filter(({ noise }) => noise > 0);
  while (open.length > 0) {
    const noisiest = open.reduce((worst, cell) =>
      standardError(cell) > standardError(worst) ? cell : worst,
    );
    if (give(noisiest, squareBlocks) === 0) open = open.filter((cell) => cell !== noisiest);
  }
  return blocks;
}

function wholeSquares(blocks: number): number {
  return Math.ceil(blocks / squareBlocks) * squareBlocks;
}
