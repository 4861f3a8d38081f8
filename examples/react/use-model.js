import { load } from 'mobilenet-webgpu';
import { useEffect, useState } from 'react';

/** The model once it is loaded; it is loaded once for a source, and its GPU memory is freed when the component goes. */
export function useModel(source) {
  const [state, setState] = useState({ model: null, error: null });
  useEffect(() => {
    const gone = new AbortController();
    let model;
    load(source, { signal: gone.signal }).then(
      (loaded) => {
        model = loaded;
        if (gone.signal.aborted) model.dispose();
        else setState({ model, error: null });
      },
      (error) => {
        if (!gone.signal.aborted) setState({ model: null, error });
      },
    );
    return () => {
      gone.abort();
      model?.dispose();
    };
  }, [source]);
  return state;
}
