import type { CharSet } from './charset.ts';
import { BadPattern, type Pattern, parsePattern } from './parse.ts';

/** Most instructions a program may have: the work per character of text is bounded by it. */
const maxInstructions = 2000;

type Instruction =
  | { op: 'set'; set: CharSet }
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { op: 'start' | 'end' | 'match' };

/** A compiled regular expression. Its work is at most `size` steps for each character of the text. */
export interface Matcher {
  readonly size: number;
  /** Whether some part of the text matches (as `fn:matches` without flags). Never looks at a character twice. */
  matches(text: string): boolean;
}

/**
 * Compiles a regular expression of `parsePattern`'s dialect for linear-time matching (Thompson's construction, all
 * states at once). The text answered instead says why it is refused.
 */
export function compileRegex(source: string): Matcher | string {
  try {
    const program: Instruction[] = [];
    emit(parsePattern(source), program);
    add(program, { op: 'match' });
    return { size: program.length, matches: (text) => run(program, text) };
  } catch (error) {
    if (error instanceof BadPattern) return error.message;
    throw error;
  }
}

function add(program: Instruction[], instruction: Instruction): number {
  if (program.length >= maxInstructions)
    throw new BadPattern('the regular expression is too large when its counts are written out');
  return program.push(instruction) - 1;
}

function emit(pattern: Pattern, program: Instruction[]): void {
  switch (pattern.kind) {
    case 'set':
      add(program, { op: 'set', set: pattern.set });
      return;
    case 'start':
    case 'end':
      add(program, { op: pattern.kind });
      return;
    case 'sequence':
      for (const part of pattern.parts) emit(part, program);
      return;
    case 'choice': {
      const jumps: { op: 'jump'; to: number }[] = [];
      pattern.parts.forEach((part, i) => {
        if (i === pattern.parts.length - 1) {
          emit(part, program);
          return;
        }
        const split: Instruction = { op: 'split', first: program.length + 1, second: 0 };
        add(program, split);
        emit(part, program);
        const jump: { op: 'jump'; to: number } = { op: 'jump', to: 0 };
        add(program, jump);
        jumps.push(jump);
        split.second = program.length;
      });
      for (const jump of jumps) jump.to = program.length;
      return;
    }
    case 'repeat': {
      for (let i = 0; i < pattern.min; i++) emitCopy(pattern.part, program);
      if (pattern.max === Number.POSITIVE_INFINITY) {
        const split: Instruction = { op: 'split', first: program.length + 1, second: 0 };
        const loop = add(program, split);
        emitCopy(pattern.part, program);
        add(program, { op: 'jump', to: loop });
        split.second = program.length;
        return;
      }
      const splits: { op: 'split'; first: number; second: number }[] = [];
      for (let i = pattern.min; i < pattern.max; i++) {
        const split: { op: 'split'; first: number; second: number } = {
          op: 'split',
          first: program.length + 1,
          second: 0,
        };
        add(program, split);
        splits.push(split);
        emitCopy(pattern.part, program);
      }
      for (const split of splits) split.second = program.length;
    }
  }
}

/** A copy that adds no instruction would let a count of a million loop for nothing. */
function emitCopy(part: Pattern, program: Instruction[]): void {
  const before = program.length;
  emit(part, program);
  if (program.length === before) add(program, { op: 'jump', to: before + 1 });
}

function run(program: Instruction[], text: string): boolean {
  const marked = new Uint32Array(program.length);
  const stack: number[] = [];
  let current: number[] = [];
  let next: number[] = [];
  let generation = 0;
  let matched = false;

  /** Follows all jumps from `start`; leaves only character instructions in `into`. */
  function reach(start: number, into: number[], at: number): void {
    stack.push(start);
    while (stack.length > 0) {
      const index = stack.pop()!;
      if (marked[index] === generation) continue;
      marked[index] = generation;
      const instruction = program[index]!;
      switch (instruction.op) {
        case 'match':
          matched = true;
          break;
        case 'jump':
          stack.push(instruction.to);
          break;
        case 'split':
          stack.push(instruction.second, instruction.first);
          break;
        case 'start':
          if (at === 0) stack.push(index + 1);
          break;
        case 'end':
          if (at === text.length) stack.push(index + 1);
          break;
        case 'set':
          into.push(index);
      }
    }
  }

  generation = 1;
  reach(0, current, 0);
  let at = 0;
  while (!matched && at < text.length) {
    const code = text.codePointAt(at)!;
    at += code > 0xffff ? 2 : 1;
    generation++;
    next.length = 0;
    for (const index of current) {
      const instruction = program[index]!;
      if (instruction.op === 'set' && instruction.set.has(code)) reach(index + 1, next, at);
    }
    // A match may begin at any character.
    reach(0, next, at);
    [current, next] = [next, current];
  }
  return matched;
}
