// Fills a stored tensor with made-up values of both signs, whole multiples of 2^-12, or with NaN.
//
// dst  words of 32 bits: a float each, or two halves, or four stored integers of any value (IN_WORD); pixels of `pitch` elements, of which `channels` count
//
// An element's value depends on its pixel and channel only, not on how the tensor is stored. What lies past the last
// channel is a finite number as well. An invocation fills every `stride`-th word.
struct Shape { words: u32, stride: u32, channels: u32, pitch: u32, most: u32, seed: u32 }

override IN_WORD: u32 = 1u;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<storage, read_write> dst: array<u32>;

// The finaliser of MurmurHash3.
fn hash(index: u32) -> u32 {
  var z = index * 0x9e3779b9u + shape.seed;
  z = (z ^ (z >> 16u)) * 0x85ebca6bu;
  z = (z ^ (z >> 13u)) * 0xc2b2ae35u;
  return z ^ (z >> 16u);
}

// From -most to most, in units of 2^-12.
fn value(element: u32) -> f32 {
  let logical = element / shape.pitch * shape.channels + element % shape.pitch;
  return (f32(hash(logical) % (2u * shape.most + 1u)) - f32(shape.most)) * 0.000244140625;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var word = id.x; word < shape.words; word += shape.stride) {
    if (shape.most == 0u) {
      // NaN as a float and as two halves.
      dst[word] = 0xffffffffu;
    } else if (IN_WORD == 4u) {
      dst[word] = hash(word);
    } else if (IN_WORD == 2u) {
      dst[word] = pack2x16float(vec2f(value(2u * word), value(2u * word + 1u)));
    } else {
      dst[word] = bitcast<u32>(value(word));
    }
  }
}
