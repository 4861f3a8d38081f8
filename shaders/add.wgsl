// Elementwise sum, dst = activate(a + b); b is of equal shape or one pixel an image, broadcast over the others.
//
// a, dst  [batch][pixels][channels4]                     NHWC, four channels a vec4
// b       the same, or [batch or 1][1][channels4]
//
// One invocation computes four channels of one pixel.
struct Shape { pixels: u32, channels4: u32, b_image_stride: u32, b_pixel_stride: u32 }

#include binary

fn combine(a: vec4f, b: vec4f) -> vec4f { return a + b; }
