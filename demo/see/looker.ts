import {
  type Classification,
  type DetectedBox,
  DeviceLostError,
  type ImageOption,
  type LoadProgress,
  load,
  type Model,
  outputShapes,
  type PosedPerson,
  readGraph,
  type Segmentation,
  type StreamTasks,
} from '../../src/index.ts';
import type { ExplainedClass, Explanation } from '../../src/tasks/index.ts';
import { cpuFiles } from '../ui/cpu-files.ts';
import type { SeeModel } from './models.ts';
import { leastScore } from './overlay.ts';

export type Finding =
  | { readonly kind: 'boxes'; readonly boxes: readonly DetectedBox[] }
  | { readonly kind: 'poses'; readonly people: readonly PosedPerson[] }
  | { readonly kind: 'mask'; readonly mask: Segmentation }
  | { readonly kind: 'classes'; readonly classes: readonly Classification[] };

/** What a model says of a picture, by its file's decoding or its outputs. */
export function kindOf({ graph }: Model): Finding['kind'] {
  switch (graph.decoding?.kind) {
    case 'ssd':
    case 'centernet':
      return 'boxes';
    case 'movenet':
    case 'posenet':
      return 'poses';
    case 'segmentation':
      return 'mask';
  }
  const [shape, ...others] = [...outputShapes(graph).values()];
  return others.length === 0 && shape && shape[1] * shape[2] > 1 ? 'mask' : 'classes';
}

/** Where a classifier looks, and a class's map at each pixel of the picture. */
export interface Explained extends Explanation {
  readonly onPicture: (chosen: ExplainedClass) => Float32Array;
}

interface Opened {
  readonly from: SeeModel;
  readonly model: Model;
}

/** Holds the models that were opened, and looks at pictures with the present one. */
export class Looker {
  readonly #models = new Map<string, Opened>();
  #present: Opened | null = null;
  #explaining: { readonly of: Model; readonly model: Promise<Model> } | null = null;
  #opening = new AbortController();
  /** How pictures become the input where the present model's file does not say. */
  image: ImageOption | undefined;

  get model(): Model | null {
    return this.#present?.model ?? null;
  }

  get from(): SeeModel | null {
    return this.#present?.from ?? null;
  }

  /** Whether the visitor has to say how pictures become the input. */
  get needsRule(): boolean {
    return this.#present !== null && !this.#present.model.graph.image;
  }

  /** Throws what `load` throws, and leaves the present model where it was. */
  async open(from: SeeModel, onProgress: (progress: LoadProgress) => void): Promise<void> {
    this.#opening.abort();
    this.#opening = new AbortController();
    const { signal } = this.#opening;
    const kept = this.#models.get(from.id);
    if (kept?.from === from) {
      this.#present = kept;
      return;
    }
    const model = await load(from.source, { ...from.options, cpu: cpuFiles, name: from.title, signal, onProgress });
    const opened = { from, model };
    this.#models.set(from.id, opened);
    this.#present = opened;
    kept?.model.dispose();
  }

  async look(picture: HTMLCanvasElement, signal: AbortSignal): Promise<{ finding: Finding; ms: number }> {
    try {
      return await this.#look(picture, signal);
    } catch (error) {
      if (!(error instanceof DeviceLostError) || !this.#present) throw error;
      // The GPU went away: all that was on it is made again, once.
      const { from } = this.#present;
      this.#models.clear();
      this.#explaining = null;
      await this.open(from, () => {});
      return await this.#look(picture, signal);
    }
  }

  async #look(picture: HTMLCanvasElement, signal: AbortSignal): Promise<{ finding: Finding; ms: number }> {
    const look = await lookOf(this.#present!.model, this.#options(signal));
    const start = performance.now();
    const finding = await look.once(picture);
    return { finding, ms: performance.now() - start };
  }

  /** What the present model sees in a playing video, the newest frame first, until the signal ends it. */
  async *watch(video: HTMLVideoElement, signal: AbortSignal): AsyncGenerator<Sighting, void> {
    yield* (await lookOf(this.#present!.model, this.#options(signal))).on(video);
  }

  #options(signal: AbortSignal): Options {
    return { image: this.needsRule ? this.image : undefined, signal };
  }

  /** Where the present classifier looks. Throws `UsageError` where its network has no class activation maps. */
  async explain(picture: HTMLCanvasElement, signal: AbortSignal): Promise<Explained> {
    const of = this.#present!.model;
    const { explain, mapOnPicture, withClassMaps } = await import('../../src/tasks/index.ts');
    if (this.#explaining?.of !== of) {
      const before = this.#explaining?.model;
      const { source, options } = this.#present!.from;
      // A network on integers is explained by the real numbers that its integers stand for.
      const real = of.precision === 'int8' ? readGraph(source, { ...options, precision: 'float32' }) : of.graph;
      const model = Promise.resolve(real)
        .then(withClassMaps)
        .then((graph) => load(graph, { tuning: 'off', cpu: cpuFiles, precision: 'float32' }));
      this.#explaining = { of, model };
      model.catch(() => {
        this.#explaining = null;
      });
      before?.then((earlier) => earlier.dispose()).catch(() => {});
    }
    const seen = await explain(await this.#explaining.model, picture, this.#options(signal));
    return { ...seen, onPicture: (chosen) => mapOnPicture(seen, chosen) };
  }
}

interface Options {
  readonly image: ImageOption | undefined;
  readonly signal: AbortSignal;
}

/** A finding of a video, and which frame it is of. */
export interface Sighting {
  readonly finding: Finding;
  /** Seconds in the video. */
  readonly mediaTime: number;
  /** Milliseconds since that frame was shown. */
  readonly age: number;
}

/** How a model looks: once at a picture, or on and on at a video. */
interface Look {
  readonly once: (picture: HTMLCanvasElement) => Promise<Finding>;
  readonly on: (video: HTMLVideoElement) => AsyncGenerator<Sighting, void>;
}

function lookBy<K extends keyof StreamTasks>(
  model: Model,
  task: K,
  options: StreamTasks[K][0],
  findingOf: (result: StreamTasks[K][1]) => Finding,
): Look {
  type Method = (picture: HTMLCanvasElement, options: StreamTasks[K][0]) => Promise<StreamTasks[K][1]>;
  return {
    once: async (picture) => findingOf(await (model[task] as Method)(picture, options)),
    async *on(video) {
      for await (const { result, mediaTime, age } of model.stream<K>(video, { ...options, task }))
        yield { finding: findingOf(result), mediaTime, age };
    },
  };
}

async function lookOf(model: Model, options: Options): Promise<Look> {
  switch (kindOf(model)) {
    case 'boxes': {
      // CenterNet's file has no names; its 80 classes are those of COCO.
      const labels = model.labels ?? (await import('../../src/tasks/index.ts')).cocoLabels;
      const asked = { ...options, labels, minScore: leastScore, maxDetections: 20 };
      return lookBy(model, 'detect', asked, (boxes) => ({ kind: 'boxes', boxes }));
    }
    case 'poses':
      return lookBy(model, 'pose', options, (people) => ({
        kind: 'poses',
        people: people.filter(({ score }) => score >= leastScore / 2),
      }));
    case 'mask':
      return lookBy(model, 'segment', options, (mask) => ({ kind: 'mask', mask }));
    case 'classes':
      return lookBy(model, 'classify', options, (classes) => ({ kind: 'classes', classes }));
  }
}
