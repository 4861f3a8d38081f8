// An inverted residual block in one kernel (Sandler et al. 2018, "MobileNetV2", section 3.3), or a part of it:
// dst = project(depthwise(expand(src))) [+ residual]. What lies between never leaves workgroup memory.
//
// src                [batch][in_height][in_width][cin4]       NHWC, four channels a vec4
// expand_weights     [cin4][hidden]                           one vec4 over four inputs for each hidden channel
// expand_bias        [hidden / 4]
// depthwise_weights  [KERNEL_Y · KERNEL_X][hidden / 4]
// depthwise_bias     [hidden / 4]
// project_weights    [hidden / 4][columns]                    one vec4 over four hidden channels for each output channel
// project_bias       [columns / 4]
// dst                [batch][out_height][out_width][cout4]
//
// `hidden` is rounded up to 4 · CHUNK4, `columns` to 16, the rest zero. Without EXPAND, src holds the hidden channels.
//
// A workgroup computes a tile of TILE_Y × TILE_X pixels, all output channels. It goes through the hidden channels in
// chunks: expands the tile's inputs (zeros outside, as the depthwise convolution pads what is expanded), filters them,
// and adds them to the output, of which each invocation holds 4 pixels × 16 channels.
struct Shape {
  in_height: u32, in_width: u32, out_height: u32, out_width: u32, tiles_y: u32,
  cin4: u32, hidden: u32, chunks: u32, cout4: u32, columns: u32, pad_top: i32, pad_left: i32,
}

override EXPAND_ACTIVATION: u32;
override DEPTHWISE_ACTIVATION: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> depthwise_weights: array<vec4f>;
@group(0) @binding(3) var<storage, read> project_weights: array<Weight4>;
// Depthwise, project and, with EXPAND, expand bias, one after another.
@group(0) @binding(4) var<storage, read> biases: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dst: array<Dst4>;
#if EXPAND
@group(0) @binding(6) var<storage, read> expand_weights: array<Weight4>;
#endif
#if RESIDUAL
@group(0) @binding($(6 + EXPAND)) var<storage, read> residual: array<Side4>;
#endif

var<workgroup> expanded: array<vec4f, $(INPUT_Y * INPUT_X * CHUNK4)>;
var<workgroup> filtered: array<vec4f, $(TILE_Y * TILE_X * CHUNK4)>;

fn finish(sum: vec4f, at: u32) {
  var value = activate(sum);
#if RESIDUAL
  value += load_side(residual[at]);
#endif
  dst[at] = store_dst(value);
}

@compute @workgroup_size($(THREADS))
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let image = workgroup.y / shape.tiles_y;
  let out_y = (workgroup.y - image * shape.tiles_y) * $(TILE_Y)u;
  let out_x = workgroup.x * $(TILE_X)u;
  let in_y = i32(out_y * $(STRIDE_Y)u) - shape.pad_top;
  let in_x = i32(out_x * $(STRIDE_X)u) - shape.pad_left;
  let base = image * shape.in_height * shape.in_width;
  let hidden4 = shape.hidden / 4u;
  // This invocation's pixels and channels of the output; lanes past the last channel group only help.
  let group = lane % $(TILE_Y * TILE_X / 4)u;
  let channel = lane / $(TILE_Y * TILE_X / 4)u * 16u;
  let owns = channel < shape.columns;
#unroll p 4
#unroll c 16
  var sum$(p)_$c = 0.0;
#end
#end

  for (var chunk = 0u; chunk < shape.chunks; chunk++) {
    let first4 = chunk * $(CHUNK4)u;
#if EXPAND
    // Four neighbours of the flattened tile × four hidden channels at a time.
    for (var item = lane; item < $((INPUT_Y * INPUT_X + 3) / 4 * CHUNK4)u; item += $(THREADS)u) {
      let e = item / $((INPUT_Y * INPUT_X + 3) / 4)u;
      let place = (item - e * $((INPUT_Y * INPUT_X + 3) / 4)u) * 4u;
#unroll p 4
      let place$p = min(place + $(p)u, $(INPUT_Y * INPUT_X - 1)u);
      let y$p = in_y + i32(place$p / $(INPUT_X)u);
      let x$p = in_x + i32(place$p % $(INPUT_X)u);
      let inside$p = u32(y$p) < shape.in_height && u32(x$p) < shape.in_width;
      let row$p = (base + select(0u, u32(y$p) * shape.in_width + u32(x$p), inside$p)) * shape.cin4;
#unroll c 4
      var hidden$(p)_$c = 0.0;
#end
#end
      var column = (first4 + e) * 4u;
      for (var k = 0u; k < shape.cin4; k++) {
#unroll p 4
        let v$p = load_src(src[row$p + k]);
#end
#unroll c 4
        let w$c = load_weight(expand_weights[column + $(c)u]);
#unroll p 4
        hidden$(p)_$c = fma(v$p.x, w$c.x, fma(v$p.y, w$c.y, fma(v$p.z, w$c.z, fma(v$p.w, w$c.w, hidden$(p)_$c))));
#end
#end
        column += shape.hidden;
      }
      let bias = biases[hidden4 + shape.columns / 4u + first4 + e];
#unroll p 4
      let value$p = activation(EXPAND_ACTIVATION, vec4f(hidden$(p)_0, hidden$(p)_1, hidden$(p)_2, hidden$(p)_3) + bias);
      if (place + $(p)u < $(INPUT_Y * INPUT_X)u) {
        expanded[place$p * $(CHUNK4)u + e] = select(vec4f(0.0), value$p, inside$p);
      }
#end
    }
#else
    for (var item = lane; item < $(INPUT_Y * INPUT_X * CHUNK4)u; item += $(THREADS)u) {
      let place = item / $(CHUNK4)u;
      let c = first4 + item % $(CHUNK4)u;
      let y = in_y + i32(place / $(INPUT_X)u);
      let x = in_x + i32(place % $(INPUT_X)u);
      let inside = u32(y) < shape.in_height && u32(x) < shape.in_width && c < shape.cin4;
      let at = (base + select(0u, u32(y) * shape.in_width + u32(x), inside)) * shape.cin4 + min(c, shape.cin4 - 1u);
      expanded[item] = select(vec4f(0.0), load_src(src[at]), inside);
    }
#endif
    workgroupBarrier();

    for (var item = lane; item < $(TILE_Y * TILE_X * CHUNK4)u; item += $(THREADS)u) {
      let place = item / $(CHUNK4)u;
      let e = item % $(CHUNK4)u;
      let corner = (place / $(TILE_X)u * $(STRIDE_Y * INPUT_X)u + place % $(TILE_X)u * $(STRIDE_X)u) * $(CHUNK4)u + e;
      var value = biases[first4 + e];
#unroll ky KERNEL_Y
#unroll kx KERNEL_X
      value = fma(
        expanded[corner + $((ky * DILATION_Y * INPUT_X + kx * DILATION_X) * CHUNK4)u],
        depthwise_weights[$(ky * KERNEL_X + kx)u * hidden4 + first4 + e], value);
#end
#end
      filtered[item] = activation(DEPTHWISE_ACTIVATION, value);
    }
    workgroupBarrier();

    if (owns) {
      var column = first4 * shape.columns + channel;
      for (var e = 0u; e < $(CHUNK4)u; e++) {
#unroll p 4
        let v$p = filtered[(group * 4u + $(p)u) * $(CHUNK4)u + e];
#end
#unroll c 16
        let w$c = load_weight(project_weights[column + $(c)u]);
#unroll p 4
        sum$(p)_$c = fma(v$p.x, w$c.x, fma(v$p.y, w$c.y, fma(v$p.z, w$c.z, fma(v$p.w, w$c.w, sum$(p)_$c))));
#end
#end
        column += shape.columns;
      }
    }
    // The next chunk overwrites `expanded` only, which nobody reads any more, and `filtered` after another barrier.
  }

  if (!owns) { return; }
  let channel4 = channel / 4u;
#unroll p 4
  {
    let y = out_y + (group * 4u + $(p)u) / $(TILE_X)u;
    let x = out_x + (group * 4u + $(p)u) % $(TILE_X)u;
    if (y < shape.out_height && x < shape.out_width) {
      let at = ((image * shape.out_height + y) * shape.out_width + x) * shape.cout4 + channel4;
#unroll q 4
      if (channel4 + $(q)u < shape.cout4) {
        let bias = biases[hidden4 + channel4 + $(q)u];
        finish(vec4f(sum$(p)_$(4*q), sum$(p)_$(4*q+1), sum$(p)_$(4*q+2), sum$(p)_$(4*q+3)) + bias, at + $(q)u);
      }
#end
    }
  }
#end
}
