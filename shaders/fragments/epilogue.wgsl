// How a layer ends: finish(sum, at) activates a sum of four channels, adds the residual there, and stores.
//
// Expects  dst, RESIDUAL; RESIDUAL_BINDING, of the residual; with PIECEWISE, fields of `shape` that say what activates
//          (`piecewise` in the prelude); with OPTIONAL, shape.adds_residual, as the residual is bound in any case
// Gives    residual, finish
#if RESIDUAL
@group(0) @binding($(RESIDUAL_BINDING)) var<storage, read> residual: array<Other4>;
#endif

fn finish(sum: vec4f, at: u32) {
#if PIECEWISE
  var value = activate(piecewise(sum, shape.low, shape.high, shape.shift, shape.scale, shape.times_input));
#else
  var value = activate(sum);
#endif
#if RESIDUAL && OPTIONAL
  if (shape.adds_residual == 1u) { value += load_other(residual[at]); }
#elif RESIDUAL
  value += load_other(residual[at]);
#endif
  dst[at] = store_dst(value);
}
