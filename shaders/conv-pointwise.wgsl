// Pointwise (1×1) convolution as a matrix product: dst = activate(src · weights + bias) [+ residual]. With GATED, the second
// half of a block with squeeze-and-excitation, the input is scaled as it is loaded: src · gate in place of src.
//
// src      [pixels][cin4]          NHWC, four channels a vec4; pixels = batch · height · width, with GATED of one image, of
//                                  which there are as many as layers of workgroups
// gate     [images][cin4]          a factor for each channel of an image
// weights  [cin4][columns]         one vec4 over four input channels for each output channel ("dot" layout), in a
//                                  buffer, as texels, or in a uniform buffer, in tiles of TILE_CHANNELS columns, where
//                                  two columns of halves make an element; columns = output channels rounded up to
//                                  TILE_CHANNELS
// bias     [columns / 4]
// dst      [pixels][cout4]
//
// One invocation computes TILE_PIXELS pixels × TILE_CHANNELS channels: a tile of pixels for a group of channels. LANES says
// which the lanes of a workgroup differ in: 0 tiles, so that the weights are uniform; 1 both, as one line, groups fastest;
// 2 groups, so that the inputs are uniform. With 1 and 2 the columns of four groups lie in turns (see `place-of-group`).
// With BROADCAST each of four neighbouring lanes loads one of four weights and all read the others' from it, so that none
// may leave early.
//
// MATRICES and STORE_LOOP make less code, which a software adapter compiles sooner. With MATRICES products are with
// matrices; hardware adds once more then for each four products. With STORE_LOOP the sums go through an array at the end;
// hardware would keep it in memory.
struct Shape {
  pixels: u32, cin4: u32, cout4: u32, columns: u32,
  low: f32, high: f32, shift: f32, scale: f32, times_input: u32, groups_of_channels: u32,
}

override WORKGROUP_X: u32;

#include convolution RESIDUAL_BINDING=5+GATED PIECEWISE=1 OPTIONAL=0
#if UNIFORM_VECTORS > 0 && HALF_WEIGHT
@group(0) @binding(2) var<uniform> weights: array<array<vec4u, $(TILE_CHANNELS/2)>, $(UNIFORM_VECTORS/TILE_CHANNELS)>;
#elif UNIFORM_VECTORS > 0
@group(0) @binding(2) var<uniform> weights: array<array<vec4f, $(TILE_CHANNELS)>, $(UNIFORM_VECTORS/TILE_CHANNELS)>;
#else
#include weights
#endif
#if GATED
@group(0) @binding(5) var<storage, read> gate: array<Other4>;
#endif

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
#if BROADCAST
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
#endif
) {
#if LANES == 1
  let place = (workgroup.y * MOST_WORKGROUPS + workgroup.x) * WORKGROUP_X + lane;
  let tile_of_pixels = place / shape.groups_of_channels;
  let group = place - tile_of_pixels * shape.groups_of_channels;
#elif LANES == 2
  let tile_of_pixels = workgroup.y;
  let group = workgroup.x * WORKGROUP_X + lane;
#else
  let tile_of_pixels = workgroup.x * WORKGROUP_X + lane;
  let group = workgroup.y;
#endif
  let pixel = tile_of_pixels * $(TILE_PIXELS)u;
#if EARLY_END
  if (pixel >= shape.pixels || group >= shape.groups_of_channels) { return; }
#endif
#include place-of-group
  let base = workgroup.z * shape.pixels;
#unroll p TILE_PIXELS
  let row$p = (base + min(pixel + $(p)u, shape.pixels - 1u)) * shape.cin4;
#end
#include begin-sums
#if BROADCAST
  let own = channel + (subgroup_lane & 3u);
#endif
#unroll h HALF
  for (var k = 0u; k < shape.cin4; k += $(VECTORS)u) {
#unroll j VECTORS
    let k$j = min(k + $(j)u, shape.cin4 - 1u);
#unroll p TILE_PIXELS
    let v$(p)_$j = src[row$p + k$j];
#end
#end
#include half-sums groups=shape.groups_of_channels index=k
  }
#end
#unroll f 1-HALF
  var row = 0u;
  for (var k = 0u; k < shape.cin4; k++) {
#if GATED
    let factor = load_other(gate[workgroup.z * shape.cin4 + k]);
#endif
#unroll p TILE_PIXELS
#if GATED
    let x$p = load_src(src[row$p + k]) * factor;
#else
    let x$p = load_src(src[row$p + k]);
#endif
#end
#if UNIFORM_VECTORS > 0
    // Places within the tile are then constants: compilers check one index in place of TILE_CHANNELS.
    let tile = &weights[(row + channel) / $(TILE_CHANNELS)u];
#endif
#include convolution-tile TILE_OF_WEIGHTS=UNIFORM_VECTORS>0 index=k row=row
    row += shape.columns;
  }
#end
  let first = (base + pixel) * shape.cout4 + channel4;
#include finish-sums pixels=min($(TILE_PIXELS)u, max(shape.pixels, pixel) - pixel) inside=pixel + $(p)u < shape.pixels
}
