// Normal convolution of an input of one to three channels: dst = activate(conv(src) + bias). Strides and padding are any,
// dilation is 1.
//
// src      [batch][in_height][in_width][CHANNELS]       floats one after another, as the caller gave them, by their bits;
//                                                       with PIXELS a picture: [in_height][in_width] RGBA bytes, red lowest
// weights  [kernel_y][⌈ROW / 4⌉][columns]               ROW = KERNEL_X · CHANNELS: one vec4 over four of a row's inputs for
//                                                       each output channel, in a buffer or as texels; columns = output
//                                                       channels rounded up to TILE_CHANNELS
// bias     [columns / 4]
// dst      [batch][out_height][out_width][cout4]        four channels a vec4
//
// One invocation computes TILE_PIXELS neighbours of a row × TILE_CHANNELS channels: it loads a row of inputs once for all
// of them, places outside are zero. With BROADCAST each of four neighbouring lanes loads one of four weights and all read
// the others' from it, so that no lane may leave early. With STORE_LOOP the sums go through an array at the end (see
// conv-pointwise.wgsl).
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cout4: u32, columns: u32,
  kernel_y: u32, stride_y: u32, pad_top: i32, pad_left: i32, groups_of_channels: u32, images: u32,
  scale_0: f32, scale_1: f32, scale_2: f32, offset_0: f32, offset_1: f32, offset_2: f32, first_bit: u32, last_bit: u32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;
// An input is byte · scale + offset; the first channel's byte begins at first_bit, the last one's at last_bit.
override PIXELS: bool = false;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<u32>;
#include weights
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dst: array<Dst4>;

fn inputs(pixel: u32) -> vec3f {
  if (PIXELS) {
    let bytes = (vec3u(src[pixel]) >> vec3u(shape.first_bit, 8u, shape.last_bit)) & vec3u(255u);
    let scale = vec3f(shape.scale_0, shape.scale_1, shape.scale_2);
    return vec3f(bytes) * scale + vec3f(shape.offset_0, shape.offset_1, shape.offset_2);
  }
  let at = pixel * $(CHANNELS)u;
  return vec3f(
#unroll i CHANNELS
    bitcast<f32>(src[at + $(i)u]),
#end
#unroll i 3-CHANNELS
    0.0,
#end
  );
}

fn finish(sum: vec4f, at: u32) {
  dst[at] = store_dst(activate(sum));
}

@compute @workgroup_size(WORKGROUP_X, WORKGROUP_Y)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
#if BROADCAST
  @builtin(subgroup_invocation_id) subgroup_lane: u32,
#endif
) {
#include row-tile
  let left = i32(out_x * $(STRIDE_X)u) - shape.pad_left;
#unroll x (TILE_PIXELS-1)*STRIDE_X+KERNEL_X
  let column$x = u32(clamp(left + $(x), 0, last_x));
  let inside$x = left + $(x) >= 0 && left + $(x) <= last_x;
#end
#include begin-sums
  for (var ky = 0u; ky < shape.kernel_y; ky++) {
    let y = top + i32(ky);
    let row = base + u32(clamp(y, 0, last_y)) * shape.in_width;
    let inside_y = y >= 0 && y <= last_y;
#unroll x (TILE_PIXELS-1)*STRIDE_X+KERNEL_X
    let inputs$x = inputs(row + column$x);
    let keep$x = inside_y && inside$x;
#unroll i CHANNELS
    let v$(x*CHANNELS+i) = select(0.0, inputs$x[$i], keep$x);
#end
#end
    let first_row = ky * $((KERNEL_X*CHANNELS+3)/4)u;
#unroll r (KERNEL_X*CHANNELS+3)/4
    let row$r = (first_row + $(r)u) * shape.columns;
#end
#unroll c TILE_CHANNELS
#unroll r (KERNEL_X*CHANNELS+3)/4
#if BROADCAST && c % 4 == 0
    let own$(c)_$r = weight(first_row + $(r)u, row$r, own + $(c)u);
#endif
#if BROADCAST
    let w$(c)_$r = subgroupBroadcast(own$(c/4*4)_$r, $(c%4)u);
#else
    let w$(c)_$r = weight(first_row + $(r)u, row$r, column + $(c*COLUMN_STEP)u);
#endif
#end
#unroll p TILE_PIXELS
    sum$(p)_$(c/4)[$(c%4)] =
#unroll k KERNEL_X*CHANNELS
      fma(v$(p*STRIDE_X*CHANNELS+k), w$(c)_$(k/4)[$(k%4)],
#end
      sum$(p)_$(c/4)[$(c%4)]
#unroll k KERNEL_X*CHANNELS
      )
#end
      ;
#end
#end
  }
  let first = ((image * shape.out_height + out_y) * shape.out_width + out_x) * shape.cout4 + channel4;
#include finish-sums pixels=select(0u, min($(TILE_PIXELS)u, max(shape.out_width, out_x) - out_x), out_y < shape.out_height) inside=out_y < shape.out_height && out_x + $(p)u < shape.out_width
}
