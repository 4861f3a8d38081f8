/** Whether a text has the form of a catalogue id: `imagenet/v1-0.25`. */
export const isCatalogueId = (text: string): boolean => /^(imagenet|coco|voc)\/[\w.-]+$/.test(text);
