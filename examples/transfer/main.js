import { load } from 'mobilenet-webgpu';
import { NearestNeighbours, trainHead } from 'mobilenet-webgpu/transfer';

const [label, examples, train, which] = ['label', 'examples', 'train', 'which'].map((id) =>
  document.getElementById(id),
);
const output = document.querySelector('output');

const model = await load('imagenet/v1-0.25', { embedding: true });
const embeddingOf = async (picture) => (await model.embed(picture, { top: 0 })).embedding;

/** By class, for a head; the neighbours know an example as soon as it is added. */
const embeddings = {};
const neighbours = new NearestNeighbours();
let head;
output.value = 'ready';

examples.addEventListener('change', async () => {
  for (const picture of examples.files) {
    const embedding = await embeddingOf(picture);
    embeddings[label.value] = [...(embeddings[label.value] ?? []), embedding];
    neighbours.add(label.value, embedding);
  }
  output.value = JSON.stringify(neighbours.counts);
});

train.addEventListener('click', async () => {
  head = await trainHead(embeddings, {
    onProgress: ({ epoch, epochs, loss }) => {
      output.value = `epoch ${epoch} of ${epochs}, loss ${loss.toFixed(3)}`;
    },
  });
  output.value = 'trained';
});

which.addEventListener('change', async () => {
  const embedding = await embeddingOf(which.files[0]);
  const [near] = neighbours.classify(embedding, { k: 1 });
  const [best] = head?.classify(embedding) ?? [];
  output.value = `nearest: ${near.label}${best ? `; head: ${best.label} ${(100 * best.score).toFixed(0)} %` : ''}`;
});
