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
// may leave early. MATRICES and STORE_LOOP are for software adapters (see conv-pointwise.wgsl), which mask bits sooner than
// they select.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, cin4: u32, cout4: u32, columns: u32,
  kernel_y: u32, kernel_x: u32, stride_y: u32, stride_x: u32, dilation_y: u32, dilation_x: u32,
  pad_top: i32, pad_left: i32, groups_of_channels: u32, images: u32,
  low: f32, high: f32, shift: f32, scale: f32, times_input: u32, adds_residual: u32,
}

override WORKGROUP_X: u32;
override WORKGROUP_Y: u32;

#include convolution RESIDUAL_BINDING=5 PIECEWISE=1 OPTIONAL=1
#include weights

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
#include begin-sums
#unroll p TILE_PIXELS
  let left$p = i32((out_x + $(p)u) * shape.stride_x) - shape.pad_left;
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
      let keep$p = vec4u(select(0u, 0xffffffffu, inside$p));
      let at$p = (row + u32(clamp(left$p + dx, 0, last_x))) * shape.cin4;
#end
#unroll h HALF
      for (var k = 0u; k < shape.cin4; k += $(VECTORS)u) {
#unroll j VECTORS
        let k$j = min(k + $(j)u, shape.cin4 - 1u);
#unroll p TILE_PIXELS
        let v$(p)_$j = select(Src4(0.0), src[at$p + k$j], inside$p);
#end
#end
#include half-sums groups=shape.groups_of_channels index=index
        index += $(VECTORS)u;
      }
#end
#unroll f 1-HALF
      for (var k = 0u; k < shape.cin4; k++) {
#unroll p TILE_PIXELS
#if MATRICES
        let x$p = bitcast<vec4f>(bitcast<vec4u>(load_src(src[at$p + k])) & keep$p);
#else
        let x$p = select(vec4f(0.0), load_src(src[at$p + k]), inside$p);
#endif
#end
#include convolution-tile TILE_OF_WEIGHTS=0 index=index row=row_of_weights
        row_of_weights += shape.columns;
        index++;
      }
#end
    }
  }
  let first = ((image * shape.out_height + out_y) * shape.out_width + out_x) * shape.cout4 + channel4;
#include finish-sums pixels=select(0u, min($(TILE_PIXELS)u, max(shape.out_width, out_x) - out_x), out_y < shape.out_height) inside=out_y < shape.out_height && out_x + $(p)u < shape.out_width
}
