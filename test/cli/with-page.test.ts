import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EnginePage, EngineServer } from '../../src/cli/engine-page.ts';
import { withEnginePage } from '../../src/cli/with-page.ts';

describe('a command that is interrupted', () => {
  const close = vi.fn(async () => {});
  const use = vi.fn(async () => {});
  let interrupt = new AbortController();
  const run = () => {
    const io = { stdout: { write() {} }, stderr: { write() {} }, signal: interrupt.signal };
    return withEnginePage('chrome', io, { log() {} }, use);
  };

  beforeEach(() => {
    interrupt = new AbortController();
    vi.spyOn(EngineServer, 'start').mockResolvedValue({ close } as never);
    vi.spyOn(EnginePage, 'open').mockResolvedValue({ close } as never);
  });

  afterEach(() => {
    vi.restoreAllMocks();
    vi.clearAllMocks();
  });

  it('before its page is there starts no browser', async () => {
    interrupt.abort(new Error('interrupted'));
    await expect(run()).rejects.toThrow('interrupted');
    expect(EnginePage.open).not.toHaveBeenCalled();
  });

  it('while its browser starts does nothing in it, and closes it', async () => {
    vi.mocked(EnginePage.open).mockImplementation(async () => {
      interrupt.abort(new Error('interrupted'));
      return { close } as never;
    });
    await expect(run()).rejects.toThrow('interrupted');
    expect(use).not.toHaveBeenCalled();
    expect(close).toHaveBeenCalledTimes(2);
  });

  it('while it works in the page has it closed', async () => {
    use.mockImplementation(async () => interrupt.abort(new Error('interrupted')));
    await run();
    expect(close).toHaveBeenCalledTimes(3);
  });
});
