import { networkCost } from '../../src/analysis/index.ts';
import { type CatalogueEntry, catalogue, type Model, SeveralModelsError } from '../../src/index.ts';
import { shelf } from '../models/shelf.ts';
import { deviceText } from '../ui/device.ts';
import { byId, html } from '../ui/dom.ts';
import { sourceOf, titleOf, wireFileButton } from '../ui/files.ts';
import { bytes, compact, milliseconds, shapeText } from '../ui/format.ts';
import { loadShare } from '../ui/load-share.ts';
import { clearMessage, isAbort, showError } from '../ui/message.ts';
import { showReport } from '../ui/report.ts';
import { askWhich } from '../ui/which-model.ts';
import { rowsOf, showFindings, spoken } from './findings.ts';
import { type Explained, type Finding, Looker } from './looker.ts';
import { catalogueModel, catalogueTitles, hostOf, isKept, ownModels, type SeeModel } from './models.ts';
import { clearOverlay, drawBoxes, drawMap, drawMask, drawPoses } from './overlay.ts';
import { painted, paintings } from './painted.ts';
import { pictureAt, pictureOf } from './picture.ts';
import { wireRuleForm } from './rule-form.ts';
import { Rate, ShownFrames, Webcam } from './webcam.ts';

export interface SeeTab {
  /** A picture that was handed over: a file, dropped or pasted. */
  readonly showPicture: (file: File) => Promise<void>;
  readonly openModel: (files: readonly File[], title?: string) => Promise<void>;
}

/** The See tab. `onModel` is told each time that a model is ready. */
export function startSee(onModel: (model: Model) => void): SeeTab {
  const view = byId('see-picture', HTMLCanvasElement);
  const overlay = byId('see-overlay', HTMLCanvasElement);
  const list = byId('see-findings', HTMLOListElement);
  const status = byId('see-status', HTMLParagraphElement);
  const announcement = byId('see-announcement', HTMLParagraphElement);
  const message = byId('see-message', HTMLDivElement);
  const modelMessage = byId('model-message', HTMLDivElement);
  const modelName = byId('see-model-name', HTMLParagraphElement);
  const modelFacts = byId('see-model-facts', HTMLParagraphElement);
  const assumptions = byId('see-assumptions', HTMLUListElement);
  const report = byId('see-report', HTMLDetailsElement);
  const progress = byId('see-progress', HTMLProgressElement);
  const tasks = byId('see-tasks', HTMLFieldSetElement);
  const shop = byId('see-shop', HTMLDivElement);
  const camera = byId('see-camera', HTMLButtonElement);
  const why = byId('see-why', HTMLDivElement);
  const strength = byId('see-strength', HTMLInputElement);
  const whyText = byId('see-why-text', HTMLParagraphElement);
  const looker = new Looker();
  const webcam = new Webcam((error) => cameraFailed(error));
  let picture = painted(paintings[0]!);
  let looking = new AbortController();
  let asked: SeeModel | null = null;
  let explanation: Explained | null = null;
  let explained: number | null = null;

  const showPicture = (next: HTMLCanvasElement) => {
    picture = next;
    [view.width, view.height] = [next.width, next.height];
    view.getContext('2d')!.drawImage(next, 0, 0);
    clearOverlay(overlay);
    forgetWhy();
  };

  const forgetWhy = () => {
    explanation = null;
    explained = null;
    why.hidden = true;
    whyText.textContent = '';
  };

  const draw = (finding: Finding) => {
    const { width, height } = picture;
    if (finding.kind === 'boxes') drawBoxes(overlay, finding.boxes, width, height);
    else if (finding.kind === 'poses') drawPoses(overlay, finding.people, width, height);
    else if (finding.kind === 'mask') drawMask(overlay, finding.mask);
    else clearOverlay(overlay);
  };

  const show = (finding: Finding, text: string) => {
    draw(finding);
    showFindings(list, finding, finding.kind === 'classes' && !webcam.running ? explain : null);
    list.removeAttribute('aria-busy');
    list.dataset.kind = finding.kind;
    list.dataset.found = String(rowsOf(finding).length);
    status.textContent = text;
  };

  /** Looks at the picture, or at the camera's, with the present model; a newer picture or model calls it off. */
  const look = async () => {
    looking.abort();
    looking = new AbortController();
    const { signal } = looking;
    if (webcam.running) {
      await watch(signal);
      return;
    }
    const { model } = looker;
    if (!model) return;
    clearMessage(message);
    forgetWhy();
    list.setAttribute('aria-busy', 'true');
    try {
      const { finding, ms } = await looker.look(picture, signal);
      if (signal.aborted) return;
      tell();
      const model = looker.model!;
      const ran = deviceText(model);
      show(finding, `${milliseconds(ms)} on ${ran}`);
      // It may move to the CPU, where that is faster.
      model.tuned?.then(
        () => {
          if (looker.model !== model) return;
          tell();
          if (!signal.aborted && deviceText(model) !== ran) status.textContent += `; from now on ${deviceText(model)}`;
        },
        () => {},
      );
      announcement.textContent = spoken(finding);
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      list.removeAttribute('aria-busy');
      showError(message, error, 'The network could not look at this picture. The picture is still here.');
    }
  };

  const open = async (from: SeeModel, files: readonly File[] = []): Promise<boolean> => {
    asked = from;
    clearMessage(modelMessage);
    clearMessage(message);
    modelName.textContent = `Opening ${from.title}…`;
    progress.hidden = false;
    progress.removeAttribute('value');
    const shareOf = loadShare();
    try {
      await looker.open(from, (step) => {
        if (asked !== from) return;
        progress.value = shareOf(step);
        if (step.stage === 'fetch' && step.total > 0)
          modelFacts.textContent = `${bytes(step.done)} of ${bytes(step.total)}`;
      });
    } catch (error) {
      if (isAbort(error)) return false;
      progress.hidden = true;
      describe();
      if (error instanceof SeveralModelsError && files.length > 0)
        askWhich(modelMessage, files, error, (chosen, name) => void openModel(chosen, name));
      else {
        const kept = looker.from
          ? ` ${looker.from.title} and your picture are still here.`
          : ' Your picture is still here.';
        showError(modelMessage, error, `${from.title} could not be opened.${kept}`);
      }
      return false;
    }
    if (asked !== from) return false;
    progress.hidden = true;
    looker.image = looker.needsRule ? rule.value() : undefined;
    rule.show(looker.needsRule);
    describe();
    tell();
    return true;
  };

  /** What runs the present model, and what the self-check found. */
  const tell = () => {
    onModel(looker.model!);
    showReport(report, looker.model!);
  };

  const describe = () => {
    const { model, from } = looker;
    modelName.textContent = from?.title ?? 'No network yet: choose above, or open your own.';
    modelFacts.textContent = model ? factsOf(model) : '';
    assumptions.replaceChildren(...(model?.assumptions ?? []).map((text) => html('li', {}, `Assumed: ${text}.`)));
    assumptions.hidden = !model?.assumptions.length;
  };

  const openModel = async (files: readonly File[], title = titleOf(files)) => {
    const source = sourceOf(files);
    if (!(await open({ id: 'opened', title, source }, files))) return;
    shelf.put(title, source);
    shop.hidden = true;
    for (const radio of tasks.querySelectorAll('input')) radio.checked = false;
    await look();
  };

  const rule = wireRuleForm((image) => {
    looker.image = image;
    void look();
  });

  const choose = async (chosen: string) => {
    shop.hidden = chosen !== 'names';
    if (chosen === 'names') {
      await fillShop(shop, (entry) => void ask(entry));
      return;
    }
    if (await open(ownModels[chosen as keyof typeof ownModels])) await look();
  };
  tasks.addEventListener('change', ({ target }) => void choose((target as HTMLInputElement).value));

  const catalogued = new Map<string, SeeModel>();
  const ask = async (entry: CatalogueEntry) => {
    const model = catalogued.get(entry.id) ?? catalogueModel(entry);
    catalogued.set(entry.id, model);
    if (!(await open(model))) return;
    shelf.put(model.title, model.source, model.options);
    await fillShop(shop, (again) => void ask(again));
    await look();
  };

  const explain = async (index: number) => {
    const press = (chosen: number | null) => {
      for (const button of list.querySelectorAll<HTMLElement>('.why'))
        button.setAttribute('aria-pressed', String(button.dataset.index === String(chosen)));
    };
    if (explained === index) {
      explained = null;
      press(null);
      why.hidden = true;
      clearOverlay(overlay);
      return;
    }
    explained = index;
    press(index);
    why.hidden = false;
    clearMessage(message);
    const { signal } = looking;
    try {
      if (!explanation) {
        whyText.textContent = 'Asking the last layer…';
        explanation = await looker.explain(picture, signal);
      }
      if (signal.aborted || explained !== index) return;
      drawWhy();
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      explained = null;
      press(null);
      why.hidden = true;
      showError(message, error, 'This network cannot say where it looks.');
    }
  };

  const drawWhy = () => {
    const chosen = explanation?.classes.find(({ index }) => index === explained);
    if (!explanation || !chosen) return;
    drawMap(overlay, explanation.onPicture(chosen), picture.width, picture.height, strength.valueAsNumber / 100);
    const [height, width] = explanation.size;
    whyText.textContent = `What glows speaks for “${chosen.label ?? `class ${chosen.index}`}”: the last layer's weights for it, applied to each of ${height}\u00a0×\u00a0${width} places before their mean is taken. The mean of these values and the bias ${chosen.bias.toFixed(2)} are its score before the softmax, ${chosen.logit.toFixed(2)}.`;
    why.dataset.explained = String(chosen.index);
  };
  strength.addEventListener('input', drawWhy);

  const take = async (opening: Promise<HTMLCanvasElement>, what: string) => {
    stopCamera();
    clearMessage(message);
    try {
      showPicture(await opening);
    } catch (error) {
      if (!isAbort(error)) showError(message, error, `${what} could not be shown. The picture before is still here.`);
      return;
    }
    await look();
  };

  byId('see-paintings', HTMLDivElement).replaceChildren(
    ...paintings.map((painting) => {
      const button = html('button', { type: 'button', class: 'button', 'data-painting': painting.id }, painting.title);
      button.addEventListener('click', () => void take(Promise.resolve(painted(painting)), painting.title));
      return button;
    }),
  );
  const pictureFile = (file: File) => take(pictureOf(file, file.name || 'the picture'), file.name || 'The picture');
  wireFileButton(
    byId('see-open', HTMLButtonElement),
    byId('see-file', HTMLInputElement),
    ([file]) => void pictureFile(file!),
  );
  wireFileButton(
    byId('see-take', HTMLButtonElement),
    byId('see-shot', HTMLInputElement),
    ([file]) => void pictureFile(file!),
  );
  wireFileButton(
    byId('see-model-open', HTMLButtonElement),
    byId('see-model-files', HTMLInputElement),
    (files) => void openModel(files),
  );
  byId('see-address-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    const address = byId('see-address', HTMLInputElement).value.trim();
    void take(pictureAt(address, new AbortController().signal), 'The picture at this address');
  });
  byId('see-labels', HTMLInputElement).addEventListener('change', async ({ target }) => {
    const [file] = (target as HTMLInputElement).files ?? [];
    const { from } = looker;
    if (!file || !from) return;
    const labels = (await file.text()).split(/\r?\n/).filter(Boolean);
    if (await open({ ...from, options: { ...from.options, labels } })) await look();
  });

  const stopCamera = () => {
    if (!webcam.running) return;
    looking.abort();
    webcam.stop();
    camera.textContent = 'Start the camera';
    camera.setAttribute('aria-pressed', 'false');
    delete view.dataset.live;
  };

  const cameraFailed = (error: unknown) => {
    stopCamera();
    showError(message, error, 'The camera was stopped. Its last picture is still here.');
  };

  camera.addEventListener('click', async () => {
    if (webcam.running) {
      stopCamera();
      await look();
      return;
    }
    clearMessage(message);
    camera.disabled = true;
    try {
      await webcam.start();
    } catch (error) {
      showError(message, error, 'The camera is not shown. The picture before is still here.');
      return;
    } finally {
      camera.disabled = false;
    }
    camera.textContent = 'Stop the camera';
    camera.setAttribute('aria-pressed', 'true');
    await look();
  });

  /** Frame after frame, the newest first: what comes while the network looks is not looked at. */
  const watch = async (signal: AbortSignal) => {
    const { model } = looker;
    const { video } = webcam;
    const frames = new ShownFrames(video, signal);
    const rate = new Rate();
    let results = 0;
    view.dataset.live = '0';
    try {
      while (!model) {
        await frames.next();
        const frame = frames.take();
        if (signal.aborted) return;
        if (frame) showPicture(frame);
        status.textContent = 'Choose what to look for.';
        view.dataset.live = String(++results);
      }
      for await (const { finding, mediaTime, age } of looker.watch(video, signal)) {
        if (signal.aborted) return;
        if (results === 0) tell();
        const frame = frames.take(mediaTime);
        if (frame) showPicture(frame);
        const fps = rate.add(performance.now());
        show(
          finding,
          `${fps.toFixed(fps < 10 ? 1 : 0)} frames a second, each ${milliseconds(age)} old when its result is there, on ${deviceText(model)}`,
        );
        view.dataset.live = String(++results);
      }
    } catch (error) {
      // Called off, or another model was opened: that one watches next.
      if (signal.aborted || isAbort(error) || looker.model !== model) return;
      cameraFailed(error);
    }
  };

  showPicture(picture);
  describe();
  // Chosen before this was loaded, or by the browser, which remembers forms.
  const already = tasks.querySelector<HTMLInputElement>('input:checked');
  if (already) void choose(already.value);
  return { showPicture: pictureFile, openModel };
}

function factsOf({ graph, inputs }: Model): string {
  const { parameters, macs } = networkCost(graph);
  return `input ${inputs.map(({ shape }) => shapeText(shape)).join(', ')} · ${compact(parameters)} parameters · ${compact(macs)} multiplications`;
}

/** The classifiers on offer: what each weighs, where it comes from, and whether it is here already. */
async function fillShop(place: HTMLElement, onAsk: (entry: CatalogueEntry) => void): Promise<void> {
  const entries = (await catalogue()).filter(({ id }) => id in catalogueTitles);
  const rows = await Promise.all(
    entries.map(async (entry) => {
      const kept = await isKept(entry);
      const button = html(
        'button',
        { type: 'button', class: 'button', 'data-catalogue': entry.id },
        kept ? 'Use' : `Download ${bytes(entry.bytes)}`,
      );
      button.addEventListener('click', () => onAsk(entry));
      const where = kept
        ? 'kept by this browser, works offline'
        : `from ${hostOf(entry)}, ${entry.licence}; checked on arrival and kept`;
      return html(
        'div',
        { class: 'offer' },
        html('p', {}, html('b', {}, catalogueTitles[entry.id]!), html('span', { class: 'quiet' }, where)),
        button,
      );
    }),
  );
  place.replaceChildren(...rows);
}
