// The inputs of a tile's depthwise convolution, 4 · CHUNK4 channels from vec4 `first4` on, into workgroup memory: with
// EXPAND a pointwise convolution of src, else src itself; zeros outside, as the depthwise convolution pads what is expanded.
//
// Expects  lane, base, the image's first pixel; in_y, in_x, first4; `bias`, where those of expand_weights begin;
//          EXPAND_ACTIVATION; constants PLACES, CHUNK4, THREADS; INPUT_X, the width of what is read; EXPAND_PIXELS
// Gives    expanded[place · CHUNK4 + channel], before the next barrier
#if EXPAND
  // So many neighbours of the flattened tile × four hidden channels at a time.
  const GROUPS = (PLACES + $(EXPAND_PIXELS-1)u) / $(EXPAND_PIXELS)u;
  for (var item = lane; item < GROUPS * CHUNK4; item += THREADS) {
    let e = item / GROUPS;
    let place = (item - e * GROUPS) * $(EXPAND_PIXELS)u;
#unroll p EXPAND_PIXELS
    let place$p = min(place + $(p)u, PLACES - 1u);
    let y$p = in_y + i32(place$p / $(INPUT_X)u);
    let x_$p = in_x + i32(place$p % $(INPUT_X)u);
    let inside$p = u32(y$p) < shape.in_height && u32(x_$p) < shape.in_width;
    let row$p = (base + select(0u, u32(y$p) * shape.in_width + u32(x_$p), inside$p)) * shape.cin4;
#unroll c 4
    var hidden$(p)_$c = 0.0;
#end
#end
    var column = (first4 + e) * 4u;
    for (var k = 0u; k < shape.cin4; k++) {
#unroll p EXPAND_PIXELS
      let x$p = load_src(src[row$p + k]);
#end
#include dot-tile PIXELS=EXPAND_PIXELS CHANNELS=4 sum=hidden weight=load_weight(expand_weights[column + $(c)u])
      column += shape.hidden;
    }
    let bias = biases[$bias + first4 + e];
#unroll p EXPAND_PIXELS
    if (place + $(p)u < PLACES) {
      let value = activation(EXPAND_ACTIVATION, vec4f(hidden$(p)_0, hidden$(p)_1, hidden$(p)_2, hidden$(p)_3) + bias);
      expanded[place$p * CHUNK4 + e] = select(vec4f(0.0), value, inside$p);
    }
#end
  }
#else
  for (var item = lane; item < PLACES * CHUNK4; item += THREADS) {
    let place = item / CHUNK4;
    let c = first4 + item % CHUNK4;
    let y = in_y + i32(place / $(INPUT_X)u);
    let x = in_x + i32(place % $(INPUT_X)u);
    let inside = u32(y) < shape.in_height && u32(x) < shape.in_width && c < shape.cin4;
    let at = (base + select(0u, u32(y) * shape.in_width + u32(x), inside)) * shape.cin4 + min(c, shape.cin4 - 1u);
    expanded[item] = select(vec4f(0.0), load_src(src[at]), inside);
  }
#endif
