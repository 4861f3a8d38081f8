// Normal convolution, any kernel, stride, dilation and padding: dst = activate(conv(src) + bias) [+ residual].
//
// src      [batch][in_height][in_width][cin4]           NHWC, four channels a vec4
// weights  [kernel_y][kernel_x][cin4][columns]          one vec4 over four input channels for each output channel, in
//                                                       a buffer or as texels of a row for each tap and k;
//                                                       columns = output channels rounded up to TILE_CHANNELS
// bias     [columns / 4]
// dst      [batch][out_height][out_width][cout4]
//
// One invocation computes TILE_PIXELS neighbours of a row × TILE_CHANNELS channels; places outside are zero. With
// BROADCAST each of four neighbouring lanes loads one of four weights and all read the others' from it, so that no lane
// may leave early. NARROW and STORE_LOOP are for software adapters (see conv-pointwise.wgsl).
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cin4: u32, cout4: u32, columns: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: i32, pad_left: i32, groups_of_channels: u32,
  low: f32, high: f32, shift: f32, scale: f32, times_input: u32, adds_residual: u32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
#if TEXTURE
@group(0) @binding(2) var weights: texture_2d<f32>;
#else
@group(0) @binding(2) var<storage, read> weights: array<Weight4>;
#endif
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;
#if RESIDUAL
@group(0) @binding(5) var<storage, read> residual: array<Side4>;
#endif

// Row `index` of the weights begins at `row` in a buffer.
fn weight(index: u32, row: u32, column: u32) -> vec4f {
#if TEXTURE
  return textureLoad(weights, vec2u(column, index), 0);
#else
  return load_weight(weights[row + column]);
#endif
}

fn finish(sum: vec4f, at: u32) {
  var value = activate(piecewise(sum, shape.low, shape.high, shape.shift, shape.scale, shape.times_input));
#if RESIDUAL
  if (shape.adds_residual == 1u) { value += load_side(residual[at]); }
#endif
  dst[at] = store_dst(value);
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) workgroup: vec3u,
#if BROADCAST
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
#endif
) {
  let image = workgroup.z / shape.groups_of_channels;
  let channel = (workgroup.z - image * shape.groups_of_channels) * $(TILE_CHANNELS)u;
  let out_y = id.y;
  let out_x = id.x * $(TILE_PIXELS)u;
#if BROADCAST
  let own = channel + (subgroup_lane & 3u);
#else
  if (out_y >= shape.out_height || out_x >= shape.out_width) { return; }
#endif
  let top = i32(out_y * shape.stride_y) - shape.pad_top;
  let last_y = i32(shape.in_height) - 1;
  let last_x = i32(shape.in_width) - 1;
  let base = image * shape.in_height * shape.in_width;

  let channel4 = channel / 4u;
#unroll q TILE_CHANNELS/4
  let bias$q = bias[channel4 + $(q)u];
#end
#unroll p TILE_PIXELS
  let left$p = i32((out_x + $(p)u) * shape.stride_x) - shape.pad_left;
#unroll q TILE_CHANNELS/4
  var sum$(p)_$q = bias$q;
#end
#end
  var index = 0u;
  var row_of_weights = 0u;
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let y = top + i32(ky * shape.dilation_y);
    let row = base + u32(clamp(y, 0, last_y)) * shape.in_width;
    let inside_y = y >= 0 && y <= last_y;
    for (var kx = 0u; kx < shape.kernel_x; kx++) {
      let dx = i32(kx * shape.dilation_x);
#unroll p TILE_PIXELS
      let inside$p = inside_y && left$p + dx >= 0 && left$p + dx <= last_x;
      let keep$p = select(0.0, 1.0, inside$p);
      let at$p = (row + u32(clamp(left$p + dx, 0, last_x))) * shape.cin4;
#end
      for (var k = 0u; k < shape.cin4; k++) {
#unroll p TILE_PIXELS
#if NARROW
        let x$p = load_src(src[at$p + k]) * keep$p;
#else
        let x$p = select(vec4f(0.0), load_src(src[at$p + k]), inside$p);
#endif
#end
#unroll c TILE_CHANNELS
#if BROADCAST && c % 4 == 0
        let own$c = weight(index, row_of_weights, own + $(c)u);
#endif
#if BROADCAST
        let w$c = subgroupBroadcast(own$(c/4*4), $(c%4)u);
#else
        let w$c = weight(index, row_of_weights, channel + $(c)u);
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
        row_of_weights += shape.columns;
        index++;
      }
    }
  }
  let first = ((image * shape.out_height + out_y) * shape.out_width + out_x) * shape.cout4 + channel4;
#if STORE_LOOP
  var sums: array<vec4f, $(TILE_PIXELS*TILE_CHANNELS/4)>;
#unroll p TILE_PIXELS
#unroll q TILE_CHANNELS/4
  sums[$(p*TILE_CHANNELS/4+q)] = sum$(p)_$q;
#end
#end
  let pixels = select(0u, min($(TILE_PIXELS)u, max(shape.out_width, out_x) - out_x), out_y < shape.out_height);
  let groups = min($(TILE_CHANNELS/4)u, shape.cout4 - channel4);
  for (var p = 0u; p < pixels; p++) {
    for (var q = 0u; q < groups; q++) {
      finish(sums[p * $(TILE_CHANNELS/4)u + q], first + p * shape.cout4 + q);
    }
  }
#else
#unroll p TILE_PIXELS
#if BROADCAST
  if (out_y < shape.out_height && out_x + $(p)u < shape.out_width) {
#else
  if (out_x + $(p)u < shape.out_width) {
#endif
    let at = first + $(p)u * shape.cout4;
#unroll q TILE_CHANNELS/4
    if (channel4 + $(q)u < shape.cout4) {
      finish(sum$(p)_$q, at + $(q)u);
    }
#end
  }
#end
#endif
}
