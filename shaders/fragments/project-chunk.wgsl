// Adds a chunk of hidden channels to a block's output.
//
// Expects  what project-begin gives; first4, the chunk's first vec4 of hidden channels; `hidden`, which holds them for the
//          tile: [place · CHUNK4 + channel]; project_weights; shape.chunk4, which is CHUNK4 but not to compilers: these unroll
//          a loop of so many rounds, load all at its beginning, and have no registers for it
    if (owns) {
      var column = first4 * shape.columns + channel;
      for (var e = 0u; e < shape.chunk4; e++) {
#unroll p HELD
        let x$p = $hidden[(group * $(HELD)u + $(p)u) * CHUNK4 + e];
#end
#include dot-tile PIXELS=HELD CHANNELS=CHANNELS sum=sum weight=load_weight(project_weights[column + $(c)u])
        column += shape.columns;
      }
    }
