import { networkCost } from '../../src/analysis/index.ts';
import { type Model, SeveralModelsError } from '../../src/index.ts';
import { shelf } from '../models/shelf.ts';
import { deviceText } from '../ui/device.ts';
import { byId, html } from '../ui/dom.ts';
import { sourceOf, titleOf, wireFileButton } from '../ui/files.ts';
import { bytes, compact, integer, milliseconds, percent, shapeText } from '../ui/format.ts';
import { loadShare } from '../ui/load-share.ts';
import { clearMessage, isAbort, showError } from '../ui/message.ts';
import { showReport } from '../ui/report.ts';
import { askWhich } from '../ui/which-model.ts';
import { checkAgainstReference, showCheck } from './check.ts';
import { Drawing } from './drawing.ts';
import { showGuesses } from './guesses.ts';
import { wirePad } from './pad.ts';
import { rasterize } from './rasterize.ts';
import { type OpenableModel, type Recognition, Recognizer } from './recognizer.ts';
import { symbolModelUrl, symbols } from './symbols.ts';

const symbolModel: OpenableModel = {
  title: 'MobileNetV4-Conv-Small ×0.35 for symbols',
  source: new URL(symbolModelUrl, location.href),
  label: (index) => ({ name: symbols[index]!.names.join(', '), char: symbols[index]!.char }),
};

/** The Draw tab. `onModel` is told each time that a model is ready. */
export function startDraw(onModel: (model: Model) => void): { readonly openModel: (files: readonly File[]) => void } {
  const drawing = new Drawing();
  const recognizer = new Recognizer();
  const guesses = byId('guesses', HTMLOListElement);
  const announcement = byId('guess-announcement', HTMLParagraphElement);
  const message = byId('draw-message', HTMLDivElement);
  const ran = byId('ran', HTMLParagraphElement);
  const seen = byId('seen', HTMLCanvasElement);
  const check = byId('check', HTMLButtonElement);
  const checkResult = byId('check-result', HTMLDivElement);
  const undo = byId('undo', HTMLButtonElement);
  const clear = byId('clear', HTMLButtonElement);
  const penState = byId('pen-state', HTMLParagraphElement);
  const modelMessage = byId('model-message', HTMLDivElement);
  const modelName = byId('model-name', HTMLParagraphElement);
  const progress = byId('model-progress', HTMLProgressElement);
  const reset = byId('reset-model', HTMLButtonElement);
  let latest: Recognition | null = null;
  let checking = new AbortController();

  const forgetCheck = () => {
    checking.abort();
    checkResult.hidden = true;
    checkResult.replaceChildren();
    for (const key of Object.keys(checkResult.dataset)) delete checkResult.dataset[key];
    check.disabled = true;
    check.textContent = 'Check against the CPU';
  };

  const showSeen = () => {
    const picture = rasterize(drawing.strokes, seen.width, seen.height);
    seen.getContext('2d')!.putImageData(picture, 0, 0);
  };

  const show = (recognition: Recognition) => {
    const { model, opened } = recognizer;
    if (!model || !opened) return;
    latest = recognition;
    const named = recognition.guesses.map(({ index, score }) => ({ ...opened.label(index, model), score }));
    showGuesses(guesses, named);
    announcement.textContent = named.map(({ name, score }) => `${name} ${percent(score)}`).join('; ');
    ran.textContent = `${milliseconds(recognition.ms)} on ${deviceText(model)}`;
    tell(model);
    model.tuned?.then(
      () => model === recognizer.model && tell(model),
      () => {},
    );
    check.disabled = model.device === 'reference';
    check.title = model.device === 'reference' ? 'The CPU reference itself is running: there is no GPU to check.' : '';
  };

  /** What runs the model, and what the self-check found. */
  const tell = (model: Model) => {
    onModel(model);
    showReport(byId('model-report', HTMLDetailsElement), model);
  };

  const recognize = async () => {
    forgetCheck();
    clearMessage(message);
    showSeen();
    if (drawing.strokes.length === 0) {
      recognizer.forget();
      guesses.removeAttribute('aria-busy');
      latest = null;
      showGuesses(guesses, []);
      announcement.textContent = '';
      ran.textContent = 'Waiting for the first stroke.';
      return;
    }
    if (!recognizer.model) return;
    guesses.setAttribute('aria-busy', 'true');
    try {
      const recognition = await recognizer.recognize(drawing.strokes);
      if (!recognition) return;
      show(recognition);
    } catch (error) {
      showError(message, error, 'The drawing could not be classified. It is still here: the next stroke tries again.');
    }
    guesses.removeAttribute('aria-busy');
  };

  const open = async (openable: OpenableModel) => {
    clearMessage(modelMessage);
    modelName.textContent = `Opening ${openable.title}…`;
    progress.hidden = false;
    progress.removeAttribute('value');
    try {
      const shareOf = loadShare();
      await recognizer.open(openable, (step) => {
        progress.value = shareOf(step);
      });
    } catch (error) {
      if (isAbort(error)) return;
      progress.hidden = true;
      modelName.textContent = recognizer.opened?.title ?? 'No model';
      reset.hidden = recognizer.opened === symbolModel;
      const kept = recognizer.opened
        ? `${openable.title} could not be opened. ${recognizer.opened.title} and your drawing are still here.`
        : `${openable.title} could not be opened. Your drawing is still here.`;
      // Above the tabs' panels: files are dropped anywhere on the page.
      if (error instanceof SeveralModelsError)
        askWhich(
          modelMessage,
          openable.source as readonly File[],
          error,
          (files, name) => void open(fileModel(files, name)),
        );
      else showError(modelMessage, error, kept);
      modelMessage.scrollIntoView({ block: 'nearest' });
      return;
    }
    progress.hidden = true;
    describeModel(openable, recognizer.model!);
    reset.hidden = openable === symbolModel;
    if (openable !== symbolModel) shelf.put(openable.title, openable.source);
    tell(recognizer.model!);
    await recognize();
  };

  drawing.addEventListener('change', () => {
    undo.disabled = !drawing.canUndo;
    clear.disabled = drawing.strokes.length === 0;
    byId('pad-hint', HTMLParagraphElement).hidden = drawing.strokes.length > 0;
    void recognize();
  });
  undo.addEventListener('click', () => drawing.undo());
  clear.addEventListener('click', () => drawing.clear());
  byId('panel-draw', HTMLElement).addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'z' || event.shiftKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    drawing.undo();
  });
  check.addEventListener('click', async () => {
    const { model } = recognizer;
    if (!model || !latest) return;
    checking.abort();
    checking = new AbortController();
    const { signal } = checking;
    check.disabled = true;
    try {
      const report = await checkAgainstReference(model, latest.input, {
        signal,
        onProgress: (share) => {
          if (!signal.aborted) check.textContent = `Checking… ${percent(share)}`;
        },
      });
      if (signal.aborted) return;
      showCheck(checkResult, report);
    } catch (error) {
      if (signal.aborted) return;
      showError(checkResult, error, 'The check could not be finished.');
    }
    checkResult.hidden = false;
    check.disabled = false;
    check.textContent = 'Check again';
  });
  reset.addEventListener('click', () => void open(symbolModel));
  const openModel = (files: readonly File[]) => void open(fileModel(files));
  wireFileButton(byId('open', HTMLButtonElement), byId('open-files', HTMLInputElement), openModel);
  wirePad({
    canvas: byId('pad', HTMLCanvasElement),
    drawing,
    onPen: (down) => {
      penState.textContent = down ? 'Pen down' : 'Pen up';
    },
  });
  showGuesses(guesses, []);
  showSeen();
  void open(symbolModel);
  return { openModel };
}

function fileModel(files: readonly File[], title = titleOf(files)): OpenableModel {
  return {
    title,
    source: sourceOf(files),
    label: (index, { labels }) => ({ name: labels?.[index] ?? `class ${index}`, char: null }),
  };
}

function describeModel({ title }: OpenableModel, model: Model): void {
  const { parameters, macs } = networkCost(model.graph);
  const weightBytes = model.plan.constants.reduce((sum, constant) => sum + constant.bytes, 0);
  byId('model-name', HTMLParagraphElement).textContent = title;
  const assumptions = byId('model-assumptions', HTMLUListElement);
  assumptions.replaceChildren(...model.assumptions.map((assumption) => html('li', {}, `Assumed: ${assumption}.`)));
  assumptions.hidden = model.assumptions.length === 0;
  byId('model-facts', HTMLParagraphElement).textContent = [
    `input ${model.inputs.map(({ shape }) => shapeText(shape)).join(', ')}`,
    `${compact(parameters)} parameters (${bytes(weightBytes)})`,
    `${compact(macs)} multiplications`,
    `${integer(model.plan.dispatches.length)} dispatches in one submit`,
  ].join(' · ');
}
