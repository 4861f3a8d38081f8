/** Files that a person hands over. */

/** A button that opens the browser's choice of files. */
export function wireFileButton(
  button: HTMLButtonElement,
  input: HTMLInputElement,
  onFiles: (files: readonly File[]) => void,
): void {
  button.addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    // So that choosing the same file again is a change again.
    input.value = '';
    if (files.length > 0) onFiles(files);
  });
}

/** Files that are dropped anywhere on the page, or pasted. */
export function wireDrops(onFiles: (files: readonly File[]) => void): void {
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  addEventListener('dragover', (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    document.body.classList.add('is-dropping');
  });
  addEventListener('dragleave', ({ relatedTarget }) => {
    if (relatedTarget === null) document.body.classList.remove('is-dropping');
  });
  addEventListener('drop', (event) => {
    document.body.classList.remove('is-dropping');
    if (!carriesFiles(event)) return;
    event.preventDefault();
    const files = [...event.dataTransfer!.files];
    if (files.length > 0) onFiles(files);
  });
  addEventListener('paste', ({ clipboardData }) => {
    const files = [...(clipboardData?.files ?? [])];
    if (files.length > 0) onFiles(files);
  });
}

/** What a person calls the model among some files. */
export function titleOf(files: readonly File[]): string {
  const main = files.find(({ name }) => /\.(onnx|tflite|safetensors)$/.test(name) || name === 'model.json');
  return (main ?? files[0]!).name;
}

export const sourceOf = (files: readonly File[]): File | readonly File[] => (files.length === 1 ? files[0]! : files);
