// The gate of squeeze-and-excitation (Hu et al. 2018, section 3) in one kernel:
// dst = excite(squeeze(mean(src))), where the mean is over the pixels of src.
//
// src              [batch][pixels][channels4]      NHWC, four channels a vec4; sums of tiles serve as pixels, with the
//                                                  squeeze's weights scaled accordingly
// squeeze_weights  [channels4][squeezed]           one vec4 over four inputs for each output, squeezed a multiple of 4
// excite_weights   [squeezed / 4][4 · channels4]   likewise
// biases           squeeze [squeezed / 4], then excite [channels4]
// dst              [batch][channels4]
//
// One workgroup an image. Its invocations share the channels, meet, share the squeezed channels, meet, and share the
// channels again; every sum is taken by one invocation, in order.
struct Shape { pixels: u32, channels4: u32, squeezed: u32 }

override SQUEEZE_ACTIVATION: u32;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read> src: array<Src4>;
@group(0) @binding(2) var<storage, read> squeeze_weights: array<Weight4>;
@group(0) @binding(3) var<storage, read> excite_weights: array<Weight4>;
@group(0) @binding(4) var<storage, read> biases: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dst: array<Dst4>;

const THREADS = 128u;

var<workgroup> means: array<vec4f, $(MOST_CHANNELS / 4)>;
var<workgroup> squeezed: array<vec4f, $(MOST_SQUEEZED / 4)>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let image = workgroup.x;
  for (var c = lane; c < shape.channels4; c += THREADS) {
    var total = vec4f(0.0);
    for (var pixel = 0u; pixel < shape.pixels; pixel++) {
      total += load_src(src[(image * shape.pixels + pixel) * shape.channels4 + c]);
    }
    means[c] = total / f32(shape.pixels);
  }
  workgroupBarrier();
  for (var j = lane; j < shape.squeezed / 4u; j += THREADS) {
    var sum = biases[j];
    for (var c = 0u; c < shape.channels4; c++) {
      let at = c * shape.squeezed + 4u * j;
      let x = means[c];
#unroll i 4
      let w$i = load_weight(squeeze_weights[at + $(i)u]);
#end
      sum += vec4f(dot(x, w0), dot(x, w1), dot(x, w2), dot(x, w3));
    }
    squeezed[j] = activation(SQUEEZE_ACTIVATION, sum);
  }
  workgroupBarrier();
  for (var c = lane; c < shape.channels4; c += THREADS) {
    var sum = biases[shape.squeezed / 4u + c];
    for (var j = 0u; j < shape.squeezed / 4u; j++) {
      let at = (j * shape.channels4 + c) * 4u;
      let x = squeezed[j];
#unroll i 4
      let w$i = load_weight(excite_weights[at + $(i)u]);
#end
      sum += vec4f(dot(x, w0), dot(x, w1), dot(x, w2), dot(x, w3));
    }
    dst[image * shape.channels4 + c] = store_dst(activate(sum));
  }
}
