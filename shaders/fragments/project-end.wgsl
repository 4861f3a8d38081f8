// Ends a block's output.
//
// Expects  what project-begin and block-tile give; finish; `bias`, where those of project_weights begin
  if (!owns) { return; }
  let channel4 = channel / 4u;
#unroll p HELD
  {
    let y = out_y + (group * $(HELD)u + $(p)u) / $(TILE_X)u;
    let x = out_x + (group * $(HELD)u + $(p)u) % $(TILE_X)u;
    if (y < shape.out_height && x < shape.out_width) {
      let at = ((image * shape.out_height + y) * shape.out_width + x) * shape.cout4 + channel4;
#unroll q CHANNELS/4
      if (channel4 + $(q)u < shape.cout4) {
        let bias = biases[$bias + channel4 + $(q)u];
        finish(vec4f(sum$(p)_$(4*q), sum$(p)_$(4*q+1), sum$(p)_$(4*q+2), sum$(p)_$(4*q+3)) + bias, at + $(q)u);
      }
#end
    }
  }
#end
