// Pointwise (1×1) convolution as a matrix product: dst = activate(src · weights + bias) [+ residual].
//
// src      [pixels][cin4]          NHWC, four channels a vec4; pixels = batch · height · width
// weights  [cin4][columns]         one vec4 over four input channels for each output channel ("dot" layout), in a
//                                  buffer, as texels, or in a uniform buffer, in tiles of TILE_CHANNELS columns, where
//                                  two columns of halves make an element; columns = output channels rounded up to
//                                  TILE_CHANNELS
// bias     [columns / 4]
// dst      [pixels][cout4]
//
// One invocation computes TILE_PIXELS pixels × TILE_CHANNELS channels. The invocations of a workgroup share their
// output channels, so that their weight loads are uniform, and differ in pixels. With BROADCAST each of four
// neighbouring lanes loads one of four weights and all read the others' from it.
//
// NARROW and STORE_LOOP make less code, which a software adapter compiles sooner. With NARROW products are with matrices;
// hardware adds once more then for each four products. With STORE_LOOP the sums go through an array at the end; hardware
// would keep it in memory.
struct Shape {
  pixels: u32, cin4: u32, cout4: u32, columns: u32,
  low: f32, high: f32, shift: f32, scale: f32, times_input: u32,
}

override WORKGROUP_X: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
#if TEXTURE
@group(0) @binding(2) var weights: texture_2d<f32>;
#elif UNIFORM_VECTORS > 0 && HALF_WEIGHT
@group(0) @binding(2) var<uniform> weights: array<array<vec4u, $(TILE_CHANNELS/2)>, $(UNIFORM_VECTORS/TILE_CHANNELS)>;
#elif UNIFORM_VECTORS > 0
@group(0) @binding(2) var<uniform> weights: array<array<vec4f, $(TILE_CHANNELS)>, $(UNIFORM_VECTORS/TILE_CHANNELS)>;
#else
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;
#endif
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;
#if RESIDUAL
@group(0) @binding(5) var<storage, read> residual: array<Side4>;
#endif

#if UNIFORM_VECTORS == 0
// Row k of the weights begins at `row` in a buffer.
fn weight(k: u32, row: u32, column: u32) -> vec4f {
#if TEXTURE
  return textureLoad(weights, vec2u(column, k), 0);
#else
  return load_weight(weights[row + column]);
#endif
}
#endif

fn finish(sum: vec4f, at: u32) {
  var value = activate(piecewise(sum, shape.low, shape.high, shape.shift, shape.scale, shape.times_input));
#if RESIDUAL
  value += load_side(residual[at]);
#endif
  dst[at] = store_dst(value);
}

@compute @workgroup_size(WORKGROUP_X)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
#if BROADCAST
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
#endif
) {
  let channel = workgroup.y * $(TILE_CHANNELS)u;
  let pixel = (workgroup.x * WORKGROUP_X + lane) * $(TILE_PIXELS)u;
  let channel4 = channel / 4u;
#unroll q TILE_CHANNELS/4
  let bias$q = bias[channel4 + $(q)u];
#end
#unroll p TILE_PIXELS
  let row$p = min(pixel + $(p)u, shape.pixels - 1u) * shape.cin4;
#unroll q TILE_CHANNELS/4
  var sum$(p)_$q = bias$q;
#end
#end
#if BROADCAST
  let own = channel + (subgroup_lane & 3u);
#endif
  var row = 0u;
  for (var k = 0u; k < shape.cin4; k++) {
#unroll p TILE_PIXELS
    let x$p = load_src(src[row$p + k]);
#end
#if UNIFORM_VECTORS > 0
    // Places within the tile are then constants: compilers check one index in place of TILE_CHANNELS.
    let tile = &weights[(row + channel) / $(TILE_CHANNELS)u];
#endif
#unroll c TILE_CHANNELS
#if BROADCAST && c % 4 == 0
    let own$c = weight(k, row, own + $(c)u);
#endif
#if BROADCAST
    let w$c = subgroupBroadcast(own$(c/4*4), $(c%4)u);
#elif UNIFORM_VECTORS > 0 && HALF_WEIGHT
    let pair$c = (*tile)[$(c/2)];
    let w$c = vec4f(unpack2x16float(pair$c[$(c%2*2)]), unpack2x16float(pair$c[$(c%2*2+1)]));
#elif UNIFORM_VECTORS > 0
    let w$c = (*tile)[$c];
#else
    let w$c = weight(k, row, channel + $(c)u);
#endif
#if !NARROW
#unroll p TILE_PIXELS
    sum$(p)_$(c/4)[$(c%4)] = fma(x$p.x, w$c.x,
      fma(x$p.y, w$c.y, fma(x$p.z, w$c.z, fma(x$p.w, w$c.w, sum$(p)_$(c/4)[$(c%4)]))));
#end
#endif
#end
#if NARROW
#unroll q TILE_CHANNELS/4
    let four$q = mat4x4f(w$(4*q), w$(4*q+1), w$(4*q+2), w$(4*q+3));
#unroll p TILE_PIXELS
    sum$(p)_$q += x$p * four$q;
#end
#end
#endif
    row += shape.columns;
  }
#if STORE_LOOP
  var sums: array<vec4f, $(TILE_PIXELS*TILE_CHANNELS/4)>;
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  sums[$(p*TILE_CHANNELS/4+q)] = sum$(p)_$q;
#end
#end
  let pixels = min($(TILE_PIXELS)u, max(shape.pixels, pixel) - pixel);
  let groups = min($(TILE_CHANNELS/4)u, shape.cout4 - channel4);
  for (var p = 0u; p < pixels; p++) {
    let at = (pixel + p) * shape.cout4 + channel4;
    for (var q = 0u; q < groups; q++) { finish(sums[p * $(TILE_CHANNELS/4)u + q], at + q); }
  }
#else
#unroll p TILE_PIXELS
  if (pixel + $(p)u < shape.pixels) {
    let at = (pixel + $(p)u) * shape.cout4 + channel4;
#unroll q TILE_CHANNELS/4
    if (channel4 + $(q)u < shape.cout4) {
      finish(sum$(p)_$q, at + $(q)u);
    }
#end
  }
#end
#endif
}
