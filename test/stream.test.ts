/** The stream of a video's frames, on a video and a clock of the test's own. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stream, streamOf } from '../src/stream.ts';

/** Shows a frame when it is told to. */
class FakeVideo extends EventTarget {
  readonly videoWidth = 4;
  ended = false;
  asked = 0;
  presented = 0;
  readonly #callbacks = new Map<number, VideoFrameRequestCallback>();

  requestVideoFrameCallback(callback: VideoFrameRequestCallback): number {
    this.#callbacks.set(++this.asked, callback);
    return this.asked;
  }

  cancelVideoFrameCallback(id: number): void {
    this.#callbacks.delete(id);
  }

  get listening(): number {
    return this.#callbacks.size;
  }

  /** `told`: whether the page is told of it. */
  show(mediaTime: number, told = true): void {
    this.presented++;
    if (!told) return;
    const [callback] = this.#callbacks.values();
    this.#callbacks.clear();
    callback?.(performance.now(), { mediaTime, presentedFrames: this.presented } as VideoFrameCallbackMetadata);
  }

  end(): void {
    this.ended = true;
    this.dispatchEvent(new Event('ended'));
  }
}

/** Work that ends when the test says so, with the number of the call. */
function worker() {
  const ends: { resolve: (value: number) => void; reject: (error: Error) => void }[] = [];
  const look = () => new Promise<number>((resolve, reject) => ends.push({ resolve, reject }));
  return { ends, look };
}

const start = (video: FakeVideo, look: () => Promise<number>, options = {}) =>
  stream(video as unknown as HTMLVideoElement, look, options);

/** What is waiting in the queue of tasks is done, and this much time goes by. */
const pass = (milliseconds = 0) => vi.advanceTimersByTimeAsync(milliseconds);

describe('a stream', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('looks at the newest frame, tells how old it is and counts those that it left out', async () => {
    const video = new FakeVideo();
    const { ends, look } = worker();
    const frames = start(video, look);
    const first = frames.next();
    await pass();
    video.show(0.1);
    await pass();
    expect(ends).toHaveLength(1);
    await pass(30);
    // One that the page is not told of, and two while two are under way.
    video.show(0.2, false);
    for (const time of [0.3, 0.4, 0.5]) {
      video.show(time);
      await pass();
    }
    expect(ends).toHaveLength(2);
    ends[0]!.resolve(1);
    expect((await first).value).toEqual({ result: 1, mediaTime: 0.1, dropped: 0, age: 30 });
    const second = frames.next();
    await pass();
    ends[1]!.resolve(2);
    expect((await second).value).toMatchObject({ result: 2, mediaTime: 0.3, dropped: 1 });
    const third = frames.next();
    await pass(100);
    ends[2]!.resolve(3);
    expect((await third).value).toMatchObject({ result: 3, mediaTime: 0.5, dropped: 2 });
    video.end();
    expect(await frames.next()).toEqual({ done: true, value: undefined });
    expect(video.listening).toBe(0);
  });

  it('begins no more than maxFps a second', async () => {
    const video = new FakeVideo();
    let looked = 0;
    const frames = start(video, async () => ++looked, { maxFps: 10 });
    const times: number[] = [];
    const reading = (async () => {
      for await (const { mediaTime } of frames) times.push(mediaTime);
    })();
    for (let frame = 0; frame < 60; frame++) {
      await pass(20);
      video.show(frame);
    }
    video.end();
    await pass(200);
    await reading;
    expect(times.length).toBeGreaterThanOrEqual(11);
    expect(times.length).toBeLessThanOrEqual(13);
  });

  it('rests while the page is hidden, and asks for frames anew when it is seen, or comes out of the cache', async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    vi.stubGlobal('document', page);
    const events = new EventTarget();
    vi.stubGlobal('addEventListener', events.addEventListener.bind(events));
    try {
      const video = new FakeVideo();
      const { ends, look } = worker();
      const frames = start(video, look);
      const first = frames.next();
      await pass();
      video.show(1);
      await pass();
      ends[0]!.resolve(1);
      await first;
      page.visibilityState = 'hidden';
      page.dispatchEvent(new Event('visibilitychange'));
      expect(video.listening).toBe(0);
      const second = frames.next();
      // Shown to nobody: not counted as left out.
      for (let frame = 0; frame < 50; frame++) video.show(2);
      await pass(1000);
      expect(ends).toHaveLength(1);
      page.visibilityState = 'visible';
      page.dispatchEvent(new Event('visibilitychange'));
      expect(video.listening).toBe(1);
      video.show(3);
      await pass();
      ends[1]!.resolve(2);
      expect((await second).value).toMatchObject({ result: 2, mediaTime: 3, dropped: 0 });
      const before = video.asked;
      events.dispatchEvent(new Event('pageshow'));
      expect([video.asked, video.listening]).toEqual([before + 1, 1]);
      await frames.return();
      expect(video.listening).toBe(0);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('throws what looking throws, and the reason of a signal, and then asks for nothing more', async () => {
    const video = new FakeVideo();
    const { ends, look } = worker();
    const frames = start(video, look);
    const first = frames.next();
    await pass();
    video.show(1);
    await pass();
    ends[0]!.reject(new Error('no such model'));
    await expect(first).rejects.toThrow('no such model');
    expect(video.listening).toBe(0);

    const stopping = new AbortController();
    const others = start(video, look, { signal: stopping.signal });
    const waiting = others.next();
    await pass();
    video.show(2);
    await pass();
    stopping.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(video.listening).toBe(0);
    ends[1]!.reject(new Error('unheard'));
    await pass();
  });

  it('refuses what is no video, and a rate that is none', async () => {
    const look = async () => 1;
    await expect(start({} as FakeVideo, look).next()).rejects.toThrow('stream takes a video element');
    await expect(start(new FakeVideo(), look, { maxFps: 0 }).next()).rejects.toThrow('maxFps is 0');
  });

  it.each([
    ['a software adapter runs', 'webgpu', { software: true }, {}, 'browser'],
    ["the CPU's engine runs", 'wasm', null, {}, 'browser'],
    ['a GPU runs', 'webgpu', { software: false }, {}, undefined],
    ['the reference runs', 'reference', null, {}, undefined],
    ['something else is asked for', 'webgpu', { software: true }, { resize: 'rule' }, 'rule'],
  ])('has frames shrunk by whom it says where %s', async (_, device, adapter, options, resize) => {
    const video = new FakeVideo();
    const asked: unknown[] = [];
    const classify = async (...given: unknown[]) => asked.push(given[1]);
    const model = { device, adapter, classify, embed: null, detect: null, pose: null, segment: null };
    const first = streamOf(model, video as unknown as HTMLVideoElement, { ...options, ...{ top: 1 } }).next();
    await pass();
    video.show(0.1);
    await first;
    expect(asked).toEqual([{ top: 1, resize }]);
  });
});
