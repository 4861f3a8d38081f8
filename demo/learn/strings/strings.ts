/** All that the lesson says, in one language. */

export type BlockName = 'v1' | 'v2' | 'v3' | 'v4';

export interface LayerText {
  readonly name: string;
  readonly why: string;
}

/** Texts of elements of index.html, by their `data-text`. */
export interface StaticStrings {
  readonly title: string;
  readonly intro: string;
  readonly inputSide: string;
  readonly filterSide: string;
  readonly inputChannels: string;
  readonly outputChannels: string;
  readonly walkTitle: string;
  readonly back: string;
  readonly next: string;
  readonly raceTitle: string;
  readonly step: string;
  readonly restart: string;
  readonly normal: string;
  readonly depthwise: string;
  readonly pointwise: string;
  readonly countsTitle: string;
  readonly tryTitle: string;
  readonly tryIntro: string;
  readonly tryRun: string;
  readonly cancel: string;
  readonly blocksTitle: string;
  readonly blocksIntro: string;
  readonly layersShown: string;
}

export interface WalkNumbers {
  readonly n: number;
  readonly f: number;
  readonly nc: number;
  readonly nk: number;
  readonly out: number;
  readonly normal: string;
  readonly depthwise: string;
  readonly pointwise: string;
  readonly sum: string;
  readonly ratio: string;
}

export interface Strings {
  /** For the attribute `lang`. */
  readonly code: string;
  readonly texts: StaticStrings;
  readonly presets: readonly [string, string, string, string];
  readonly play: string;
  readonly pause: string;
  readonly again: string;
  /** The five steps of the lesson: a title and a sentence. */
  readonly walk: readonly ((numbers: WalkNumbers) => readonly [title: string, text: string])[];
  readonly stepOf: (step: number, of: number) => string;
  readonly filterTooLarge: (f: string, n: string) => string;
  readonly wholeNumber: (name: string, min: string, max: string) => string;
  readonly paceNote: (multiplications: number, drawnAsSix: boolean) => string;
  readonly filters: (count: number, f: number, channels: number) => string;
  readonly aFilterEach: (f: number) => string;
  readonly filterAt: (sheet: number, of: number, row: number, column: number) => string;
  readonly channelAt: (sheet: number, of: number, row: number, column: number) => string;
  readonly done: (what: string) => string;
  readonly ofMultiplications: (done: string, all: string) => string;
  readonly normalLabel: (f: number, nc: number, nk: number) => string;
  readonly depthwiseLabel: (f: number, nc: number) => string;
  readonly pointwiseLabel: (nc: number, nk: number) => string;
  readonly separableSum: string;
  readonly countsCaption: (n: number, f: number, nc: number, nk: number) => string;
  readonly fewer: (times: string) => string;
  readonly savesNothing: string;
  readonly compiling: string;
  readonly runOf: (run: number, of: number) => string;
  readonly cancelled: string;
  readonly failed: string;
  readonly tooMuch: (multiplications: string, most: string) => string;
  readonly separable: string;
  readonly agree: string;
  readonly differ: string;
  readonly counted: (fewer: string, faster: string) => string;
  readonly countedSlower: (fewer: string, slower: string) => string;
  readonly why: string;
  readonly ranOn: (difference: string, largest: string, device: string, runs: number) => string;
  readonly blockSize: (side: number, channels: number) => string;
  readonly blockSum: (all: string, normal: string, times: string) => string;
  readonly multiplications: (count: string) => string;
  readonly blocks: Readonly<Record<BlockName, { readonly what: string; readonly layers: readonly LayerText[] }>>;
}
