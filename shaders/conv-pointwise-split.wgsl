// Pointwise (1×1) convolution with the input channels split over invocations, for few pixels and many channels:
// dst = activate(src · weights + bias) [+ residual].
//
// src      [pixels][cin4]          NHWC, four channels a vec4; pixels = batch · height · width
// weights  [cin4][columns]         one vec4 over four input channels for each output channel, the columns of four groups in
//                                  turns (see the fragment place-of-group)
// bias     [columns / 4]
// dst      [pixels][cout4]
//
// A workgroup of 64 invocations has 64 / SLICES places in a line over tiles of TILE_PIXELS pixels × groups of TILE_CHANNELS
// channels, groups fastest. Of each place, SLICES invocations sum every SLICES-th vec4 of input channels; the partial sums
// meet in workgroup memory, where each invocation adds those of some vec4 of its place, always in the same order.
struct Shape {
  pixels: u32, cin4: u32, cout4: u32, columns: u32,
  low: f32, high: f32, shift: f32, scale: f32, times_input: u32, groups_of_channels: u32,
}

#include convolution RESIDUAL_BINDING=5 PIECEWISE=1 OPTIONAL=0
#include weights

const PLACES = $(64/SLICES)u;
const GROUPS4 = $(TILE_CHANNELS/4)u;

// [vec4 of a tile][slice][place]
var<workgroup> shares: array<vec4f, $(TILE_PIXELS*TILE_CHANNELS/4*64)>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let slice = lane / PLACES;
  let place = (workgroup.y * MOST_WORKGROUPS + workgroup.x) * PLACES + lane % PLACES;
  let tile = place / shape.groups_of_channels;
  let group = place - tile * shape.groups_of_channels;
  let pixel = tile * $(TILE_PIXELS)u;
#include place-of-group
#unroll p TILE_PIXELS
  let row$p = min(pixel + $(p)u, shape.pixels - 1u) * shape.cin4;
#unroll q TILE_CHANNELS/4
  var sum$(p)_$q = vec4f(0.0);
#end
#end
  for (var k = slice; k < shape.cin4; k += $(SLICES)u) {
    let row = k * shape.columns;
#unroll p TILE_PIXELS
    let x$p = load_src(src[row$p + k]);
#end
#include convolution-tile TILE_OF_WEIGHTS=0 index=k row=row
  }
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  shares[$(64*(p*TILE_CHANNELS/4+q))u + lane] = sum$(p)_$q;
#end
#end
  workgroupBarrier();
  for (var i = slice; i < $(TILE_PIXELS)u * GROUPS4; i += $(SLICES)u) {
    let out_pixel = pixel + i / GROUPS4;
    let channel4 = channel / 4u + i % GROUPS4;
    if (out_pixel < shape.pixels && channel4 < shape.cout4) {
      var total = bias[channel4];
      for (var s = 0u; s < $(SLICES)u; s++) { total += shares[64u * i + s * PLACES + lane % PLACES]; }
      finish(total, out_pixel * shape.cout4 + channel4);
    }
  }
}
