// A universal inverted bottleneck with both of its depthwise convolutions in one kernel ("extra depthwise", Qin et al.
// 2024, "MobileNetV4", section 3): dst = project(depthwise(expand(start(src)))) [+ residual]. What lies between never
// leaves workgroup memory.
//
// src              [batch][src_height][src_width][cin4]        NHWC, four channels a vec4
// filters          depthwise [KERNEL_Y · KERNEL_X][hidden / 4], then start [START_KERNEL_Y · START_KERNEL_X][cin4]
// expand_weights   [cin4][hidden]                              one vec4 over four inputs for each hidden channel
// project_weights  [hidden / 4][4 · cout4]                     one vec4 over four hidden channels for each output
// biases           depthwise [hidden / 4], expand [hidden / 4], project [cout4], start [cin4]
// dst              [batch][out_height][out_width][cout4]
//
// `hidden` is rounded up to 4 · CHUNK4, the rest zero. `in_height` and `in_width` are the pixels between the two
// depthwise convolutions.
//
// A workgroup computes a tile of TILE_Y × TILE_X pixels, all output channels. It goes through the hidden channels in
// chunks of CHUNK4 vec4: expands the tile's inputs (zeros outside, as the depthwise convolution pads what is expanded),
// filters them, and adds them to the output, of which each invocation holds HELD pixels × 4 channels. The starting
// convolution filters PART4 vec4 of channels at a time, ahead of their expansion: once where all of them fit, else for
// each chunk again.
struct Shape {
  src_height: u32, src_width: u32, in_height: u32, in_width: u32, out_height: u32, out_width: u32, tiles_y: u32,
  cin4: u32, hidden: u32, chunks: u32, chunk4: u32, cout4: u32, columns: u32,
  pad_top: i32, pad_left: i32, start_pad_top: i32, start_pad_left: i32,
  kernel_y: u32, kernel_x: u32, start_kernel_y: u32, start_kernel_x: u32,
}

override START_ACTIVATION: u32;
override EXPAND_ACTIVATION: u32;
override DEPTHWISE_ACTIVATION: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> filters: array<vec4f>;
@group(0) @binding(3) var<storage, read> expand_weights: array<Weight4>;
@group(0) @binding(4) var<storage, read> project_weights: array<Weight4>;
@group(0) @binding(5) var<storage, read> biases: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dst: array<Dst4>;
#include epilogue RESIDUAL_BINDING=7 PIECEWISE=0 OPTIONAL=0

// Pixels that the tile's depthwise convolution reads, and that it writes.
const PLACES = $(INPUT_Y * INPUT_X)u;
const PIXELS = $(TILE_Y * TILE_X)u;
const GROUPS = $((INPUT_Y * INPUT_X + EXPAND_PIXELS - 1) / EXPAND_PIXELS)u;
const CHUNK4 = $(CHUNK4)u;
const PART4 = $(PART4)u;
const THREADS = $(THREADS)u;

var<workgroup> started: array<vec4f, PLACES * PART4>;
var<workgroup> expanded: array<vec4f, PLACES * CHUNK4>;
var<workgroup> filtered: array<vec4f, PIXELS * CHUNK4>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
#include block-tile
  let base = image * shape.src_height * shape.src_width;
  let hidden4 = shape.hidden / 4u;
#include project-begin CHANNELS=4

  for (var chunk = 0u; chunk < shape.chunks; chunk++) {
    let first4 = chunk * CHUNK4;

    for (var part4 = 0u; part4 < shape.cin4; part4 += PART4) {
      if (chunk == 0u || shape.cin4 > PART4) {
        // STRIP neighbours of a row at a time, so that a weight is loaded once for them.
        for (var item = lane; item < $(INPUT_Y * STRIPS)u * PART4; item += THREADS) {
          let strip = item / PART4;
          let k = item % PART4;
          let c = part4 + k;
          let row = strip / $(STRIPS)u;
          let first = strip % $(STRIPS)u * $(STRIP)u;
          let y = in_y + i32(row);
          if (u32(y) >= shape.in_height || c >= shape.cin4) { continue; }
          let top = y * $(START_STRIDE_Y) - shape.start_pad_top;
          let left = (in_x + i32(first)) * $(START_STRIDE_X) - shape.start_pad_left;
          let bias = biases[2u * hidden4 + shape.cout4 + c];
#unroll p STRIP
          var value$p = bias;
#end
          for (var ky = 0u; ky < shape.start_kernel_y; ky++) {
            let v = u32(top) + ky * $(START_DILATION_Y)u;
            if (v >= shape.src_height) { continue; }
            let at = (base + v * shape.src_width) * shape.cin4 + c;
            for (var kx = 0u; kx < shape.start_kernel_x; kx++) {
              let weight = filters[$(KERNEL_Y * KERNEL_X)u * hidden4 + (ky * shape.start_kernel_x + kx) * shape.cin4 + c];
              // What lies outside is read from anywhere, and masked.
#unroll p STRIP
              let u$p = u32(left) + kx * $(START_DILATION_X)u + $(p * START_STRIDE_X)u;
              let pixel$p = select(vec4f(0.0), load_src(src[at + u$p * shape.cin4]), u$p < shape.src_width);
              value$p = fma(pixel$p, weight, value$p);
#end
            }
          }
          let to = row * $(INPUT_X)u + first;
#unroll p STRIP
          if (first + $(p)u < $(INPUT_X)u) {
            started[(to + $(p)u) * PART4 + k] = activation(START_ACTIVATION, value$p);
          }
#end
        }
        workgroupBarrier();
      }

      // EXPAND_PIXELS neighbours of the flattened tile × four hidden channels at a time.
      let count = min(PART4, shape.cin4 - part4);
      for (var item = lane; item < GROUPS * CHUNK4; item += THREADS) {
        let e = item / GROUPS;
        let place = (item - e * GROUPS) * $(EXPAND_PIXELS)u;
#unroll p EXPAND_PIXELS
        let place$p = min(place + $(p)u, PLACES - 1u);
        let y$p = in_y + i32(place$p / $(INPUT_X)u);
        let x_$p = in_x + i32(place$p % $(INPUT_X)u);
        let inside$p = u32(y$p) < shape.in_height && u32(x_$p) < shape.in_width;
        let row$p = place$p * PART4;
#unroll c 4
        var hidden$(p)_$c = 0.0;
#end
#end
        var any_inside = false;
#unroll p EXPAND_PIXELS
        any_inside |= inside$p;
#end
        if (any_inside) {
          var column = part4 * shape.hidden + (first4 + e) * 4u;
          for (var k = 0u; k < count; k++) {
#unroll p EXPAND_PIXELS
            let x$p = started[row$p + k];
#end
#include dot-tile PIXELS=EXPAND_PIXELS CHANNELS=4 sum=hidden weight=load_weight(expand_weights[column + $(c)u])
            column += shape.hidden;
          }
        }
        let bias = biases[hidden4 + first4 + e];
        let ends = part4 + PART4 >= shape.cin4;
#unroll p EXPAND_PIXELS
        if (place + $(p)u < PLACES) {
          var value = vec4f(hidden$(p)_0, hidden$(p)_1, hidden$(p)_2, hidden$(p)_3);
          if (part4 > 0u) { value += expanded[place$p * CHUNK4 + e]; }
          if (ends) { value = activation(EXPAND_ACTIVATION, value + bias); }
          expanded[place$p * CHUNK4 + e] = select(vec4f(0.0), value, inside$p);
        }
#end
      }
      workgroupBarrier();
    }

    for (var item = lane; item < PIXELS * CHUNK4; item += THREADS) {
      let place = item / CHUNK4;
      let e = item % CHUNK4;
      var at = (place / $(TILE_X)u * $(STRIDE_Y * INPUT_X)u + place % $(TILE_X)u * $(STRIDE_X)u) * CHUNK4 + e;
      var weight = first4 + e;
      var value = biases[weight];
      for (var ky = 0u; ky < shape.kernel_y; ky++) {
        for (var kx = 0u; kx < shape.kernel_x; kx++) {
          value = fma(expanded[at + kx * $(DILATION_X)u * CHUNK4], filters[weight], value);
          weight += hidden4;
        }
        at += $(DILATION_Y * INPUT_X)u * CHUNK4;
      }
      filtered[item] = activation(DEPTHWISE_ACTIVATION, value);
    }
    workgroupBarrier();

#include project-chunk CHANNELS=4 hidden=filtered
    // The next chunk overwrites `started` and `expanded`, which nobody reads any more, and `filtered` after a barrier.
  }

#include project-end CHANNELS=4 bias=2u * hidden4
}
