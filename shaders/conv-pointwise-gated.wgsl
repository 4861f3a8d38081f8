// Pointwise (1×1) convolution of a gated input, the second half of a block with squeeze-and-excitation:
// dst = activate((src · gate) · weights + bias) [+ residual].
//
// src      [batch][pixels][cin4]   NHWC, four channels a vec4
// gate     [batch][cin4]           a factor for each channel of an image
// weights  [cin4][columns]         one vec4 over four input channels for each output channel ("dot" layout);
//                                  columns = output channels rounded up to TILE_CHANNELS, the rest zero
// bias     [columns / 4]
// dst      [batch][pixels][cout4]
//
// One invocation computes TILE_PIXELS pixels × TILE_CHANNELS channels, and scales each input as it is loaded. The
// invocations of a workgroup share their output channels and the image, and differ in pixels.
struct Shape {
  pixels: u32, cin4: u32, cout4: u32, columns: u32, low: f32, high: f32, shift: f32, scale: f32, times_input: u32,
}

override WORKGROUP_X: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> gate: array<Side4>;
@group(0) @binding(3) var<storage, read> weights: array<Weight4>;
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dst: array<Dst4>;
#if RESIDUAL
@group(0) @binding(6) var<storage, read> residual: array<Side4>;
#endif

fn finish(sum: vec4f, at: u32) {
  var value = activate(piecewise(sum, shape.low, shape.high, shape.shift, shape.scale, shape.times_input));
#if RESIDUAL
  value += load_side(residual[at]);
#endif
  dst[at] = store_dst(value);
}

@compute @workgroup_size(WORKGROUP_X)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let channel = workgroup.y * $(TILE_CHANNELS)u;
  let pixel = (workgroup.x * WORKGROUP_X + lane) * $(TILE_PIXELS)u;
  let image = workgroup.z;
  let row_of_gate = image * shape.cin4;
#unroll p TILE_PIXELS
  let row$p = (image * shape.pixels + min(pixel + $(p)u, shape.pixels - 1u)) * shape.cin4;
#unroll c TILE_CHANNELS
  var sum$(p)_$c = 0.0;
#end
#end
  var column = channel;
  for (var k = 0u; k < shape.cin4; k++) {
    let factor = load_side(gate[row_of_gate + k]);
#unroll p TILE_PIXELS
    let x$p = load_src(src[row$p + k]) * factor;
#end
#unroll c TILE_CHANNELS
    let w$c = load_weight(weights[column + $(c)u]);
#unroll p TILE_PIXELS
    sum$(p)_$c = fma(x$p.x, w$c.x, fma(x$p.y, w$c.y, fma(x$p.z, w$c.z, fma(x$p.w, w$c.w, sum$(p)_$c))));
#end
#end
    column += shape.columns;
  }
  let channel4 = channel / 4u;
#unroll q TILE_CHANNELS/4
  let bias$q = bias[channel4 + $(q)u];
#end
#unroll p TILE_PIXELS
  if (pixel + $(p)u < shape.pixels) {
    let at = (image * shape.pixels + pixel + $(p)u) * shape.cout4 + channel4;
#unroll q TILE_CHANNELS/4
    if (channel4 + $(q)u < shape.cout4) {
      finish(vec4f(sum$(p)_$(4*q), sum$(p)_$(4*q+1), sum$(p)_$(4*q+2), sum$(p)_$(4*q+3)) + bias$q, at + $(q)u);
    }
#end
  }
#end
}
