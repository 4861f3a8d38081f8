// Bindings of a layer with weights, but for binding 2, which has these, and how its sums end.
//
// Expects  struct Shape; what int8-requantise expects; with RESIDUAL what int8-add does, and sum_least, sum_most, sum_zero of its result
// Gives    shape, src, dst; channels, what ends the sums of channels 4·c to 4·c + 3; ended(sum, channels[c]), their stored integers;
//          finish(stored, at), which stores them, or with RESIDUAL their sum with those of the residual
struct Channels { bias: vec4i, multiplier: vec4f }

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(3) var<storage, read> channels: array<Channels>;
@group(0) @binding(4) var<storage, read_write> dst: array<u32>;
#include int8-requantise

fn ended(sum: vec4i, end: Channels) -> vec4i { return requantise(sum + end.bias, end.multiplier); }

#if RESIDUAL
@group(0) @binding(5) var<storage, read> residual: array<u32>;
#include int8-add least=shape.sum_least most=shape.sum_most zero=shape.sum_zero
fn finish(stored: vec4i, at: u32) { dst[at] = word_of(added(stored, integers_of(residual[at]))); }
#else
fn finish(stored: vec4i, at: u32) { dst[at] = word_of(stored); }
#endif
