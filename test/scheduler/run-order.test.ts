import { describe, expect, it } from 'vitest';
import { RunOrder, Turns } from '../../src/scheduler/run-order.ts';

/** Lets every promise that can go on do so. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Enters, and notes once it is its turn. */
function entering(log: string[], name: string, turn: Promise<void> | null) {
  if (turn === null) log.push(name);
  else
    turn.then(
      () => log.push(name),
      (reason) => log.push(`${name}: ${reason}`),
    );
}

describe('turns', () => {
  it('start at once while there are places, then first come, first served', async () => {
    const turns = new Turns(3);
    const log: string[] = [];
    for (const [name, places] of [
      ['a', 1],
      ['b', 2],
      ['all', 3],
      ['c', 1],
      ['d', 1],
    ] as const) {
      entering(log, name, turns.enter(places));
    }
    expect(log).toEqual(['a', 'b']);
    turns.leave(1);
    await settled();
    // One place is free, and c does not overtake.
    expect(log).toEqual(['a', 'b']);
    turns.leave(2);
    await settled();
    expect(log).toEqual(['a', 'b', 'all']);
    turns.leave(3);
    await settled();
    expect(log).toEqual(['a', 'b', 'all', 'c', 'd']);
  });

  it('that are given up take no place and stop nobody', async () => {
    const turns = new Turns(2);
    const stop = new AbortController();
    const log: string[] = [];
    entering(log, 'a', turns.enter(1));
    entering(log, 'all', turns.enter(2, stop.signal));
    entering(log, 'b', turns.enter(1));
    await settled();
    expect(log).toEqual(['a']);
    stop.abort('given up');
    await settled();
    expect(log).toEqual(['a', 'b', 'all: given up']);
    entering(log, 'late', turns.enter(1, stop.signal));
    await settled();
    expect(log).toEqual(['a', 'b', 'all: given up', 'late: given up']);
    turns.leave(1);
    turns.leave(1);
    expect(turns.enter(2)).toBeNull();
  });
});

describe('timed work', () => {
  it('waits for the runs of every executor of the page, and they for it', async () => {
    const [one, other] = [new RunOrder(), new RunOrder()];
    const log: string[] = [];
    entering(log, 'run of the other', other.enter('run'));
    entering(log, 'timed', one.enter('timed'));
    entering(log, 'later run of the other', other.enter('run'));
    entering(log, 'setup of the other', other.enter('setup'));
    await settled();
    expect(log).toEqual(['run of the other']);
    other.leave('run');
    await settled();
    expect(log).toEqual(['run of the other', 'timed']);
    one.leave('timed');
    await settled();
    expect(log).toEqual(['run of the other', 'timed', 'later run of the other']);
    other.leave('run');
    await settled();
    expect(log.at(-1)).toBe('setup of the other');
    other.leave('setup');
    expect(one.enter('timed')).toBeNull();
    one.leave('timed');
  });

  it('of two executors goes one after the other', async () => {
    const orders = [new RunOrder(), new RunOrder()];
    const log: string[] = [];
    entering(log, 'first', orders[0]!.enter('timed'));
    entering(log, 'second', orders[1]!.enter('timed'));
    await settled();
    expect(log).toEqual(['first']);
    orders[0]!.leave('timed');
    await settled();
    expect(log).toEqual(['first', 'second']);
    orders[1]!.leave('timed');
  });

  it('that never ceases lets runs through in between, and runs let it through', async () => {
    const [model, tuned] = [new RunOrder(), new RunOrder()];
    const log: string[] = [];
    const rounds = async (order: RunOrder, need: 'run' | 'timed') => {
      for (let i = 0; i < 20; i++) {
        await order.enter(need);
        log.push(need);
        await settled();
        order.leave(need);
      }
    };
    await Promise.all([rounds(tuned, 'timed'), rounds(model, 'run')]);
    expect(log.slice(0, 30).join(' ')).toBe(Array(15).fill('timed run').join(' '));
  });

  it('given up while it waits for the page leaves its executor free', async () => {
    const [one, other] = [new RunOrder(), new RunOrder()];
    const stop = new AbortController();
    const log: string[] = [];
    entering(log, 'run of the other', other.enter('run'));
    entering(log, 'timed', one.enter('timed', stop.signal));
    entering(log, 'run', one.enter('run'));
    stop.abort('given up');
    await settled();
    expect(log).toEqual(['run of the other', 'timed: given up', 'run']);
    one.leave('run');
    other.leave('run');
  });
});
