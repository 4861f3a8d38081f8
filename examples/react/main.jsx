import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useModel } from './use-model.js';

function Classifier() {
  const { model, error } = useModel('imagenet/v1-0.25');
  const [best, setBest] = useState([]);
  const choose = async ({ target }) => setBest(await model.classify(target.files[0], { top: 3 }));
  if (error) return <output>{error.message}</output>;
  return (
    <>
      <input type="file" accept="image/*" aria-label="A picture" disabled={!model} onChange={choose} />
      <output>{model ? 'choose a picture' : 'loading the model'}</output>
      <ol>
        {best.map(({ index, label, score }) => (
          <li key={index}>
            {label} {(100 * score).toFixed(1)} %
          </li>
        ))}
      </ol>
    </>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Classifier />
  </StrictMode>,
);
