#!/bin/sh
#SBATCH --array=1-16
#SBATCH --cpus-per-task=2
#SBATCH --requeue
# sbatch slurm.sh PICTURES: a task of the array is a share; one that is requeued goes on where it ended.
set -eu
command=${MOBILENET_WEBGPU:-npx mobilenet-webgpu}
$command classify --out "results-$SLURM_ARRAY_TASK_ID.jsonl" "$1"
