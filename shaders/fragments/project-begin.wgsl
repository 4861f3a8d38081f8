// What an invocation of a workgroup holds of a block's output: 4 pixels of the tile × CHANNELS channels; lanes past the last
// channels only help.
//
// Expects  lane; constant PIXELS, those of the tile; shape.columns, the output channels in multiples of CHANNELS
// Gives    group, of four pixels; channel, the first; owns, whether there is such a channel; sum0_0 …, [pixel]_[channel]
  let group = lane % (PIXELS / 4u);
  let channel = lane / (PIXELS / 4u) * $(CHANNELS)u;
  let owns = channel < shape.columns;
#unroll p 4
#unroll c CHANNELS
  var sum$(p)_$c = 0.0;
#end
#end
