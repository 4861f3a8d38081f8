import type { Strings } from './strings.ts';

const expand = { name: '확장 1×1', why: '채널을 늘려서, 값싼 필터가 볼 것을 더 많이 줍니다.' };
const project = {
  name: '투영 1×1, 선형',
  why: '다시 적은 채널로 줄입니다. 활성화 함수는 적은 채널에 담긴 정보를 잃게 하므로 쓰지 않습니다.',
};
const add = { name: '입력을 더함', why: '잔차 연결: 블록은 무엇을 더할지만 배웁니다.' };

export const ko: Strings = {
  code: 'ko',
  texts: {
    title: '하나의 합성곱, 두 가지 방법',
    intro:
      '일반 합성곱은 창 안의 모든 채널을 한꺼번에 보고, 출력 채널마다 필터를 하나씩 씁니다. 깊이별 분리 합성곱(depthwise separable convolution)은 두 단계로 나눕니다. 먼저 채널마다 따로, 그다음 1 × 1 필터로 채널을 섞습니다. 출력의 모양은 같고 곱셈은 훨씬 적습니다. MobileNet은 이것으로 만들어졌습니다.',
    inputSide: '입력 한 변',
    filterSide: '필터 한 변',
    inputChannels: '입력 채널',
    outputChannels: '출력 채널',
    walkTitle: '한 단계씩',
    back: '이전',
    next: '다음',
    raceTitle: '같은 속도로: 초당 곱셈 수',
    step: '한 걸음',
    restart: '처음부터',
    normal: '일반',
    depthwise: '1 깊이별',
    pointwise: '2 점별',
    countsTitle: '곱셈 수',
    tryTitle: '이 기기에서',
    tryIntro: '일반 합성곱에는 두 필터를 합친 필터를 주므로, 두 방법의 출력은 같아야 합니다:',
    tryRun: '두 방법 모두 실행',
    cancel: '취소',
    blocksTitle: '여기서 MobileNet까지',
    blocksIntro:
      '모든 MobileNet은 블록을 쌓은 것이고, 세대마다 앞의 블록에 무언가를 더합니다. 하나를 골라 쌓아 보세요.',
    layersShown: '보이는 층',
  },
  presets: ['수업: 3채널에서 5채널로', '6채널에서 8채널로', '출력 512개', 'MobileNet의 한 층'],
  play: '재생',
  pause: '멈춤',
  again: '다시 재생',
  walk: [
    ({ f, nc, nk, out, normal }) => [
      `일반: ${normal}`,
      `${f} × ${f} × ${nc} 필터를 ${out} × ${out} 곳에 놓고, 필터는 ${nk}개입니다: ${out}² · ${f}² · ${nc} · ${nk} = 곱셈 ${normal}번.`,
    ],
    ({ f, nc, out, depthwise }) => [
      `깊이별: ${depthwise}`,
      `이제 ${nc}개 채널마다 자기만의 ${f} × ${f} 필터가 하나씩 있습니다: ${out}² · ${f}² · ${nc} = ${depthwise}. 채널은 아직 섞이지 않았습니다.`,
    ],
    ({ nc, nk, out, pointwise }) => [
      `점별: ${pointwise}`,
      `1 × 1 × ${nc} 필터 ${nk}개가 곳곳의 채널을 섞습니다: ${out}² · ${nc} · ${nk} = ${pointwise}. 출력의 모양은 앞과 같습니다.`,
    ],
    ({ depthwise, pointwise, sum }) => [
      `합: ${sum}`,
      `${depthwise} + ${pointwise} = ${sum}번의 곱셈으로 같은 모양을 얻습니다.`,
    ],
    ({ sum, normal, ratio, f, nk }) => [
      `비율: ${ratio}`,
      `${sum} / ${normal} = ${ratio} = 1 / ${nk} + 1 / ${f}². 출력 채널이 많아지면 그림과 상관없이 1 / ${f}²에 가까워집니다.`,
    ],
  ],
  stepOf: (step, of) => `${of}단계 중 ${step}단계`,
  filterTooLarge: (f, n) => `필터(${f})는 입력(${n})보다 클 수 없습니다.`,
  wholeNumber: (name, min, max) =>
    `${name}: ${min}에서 ${max} 사이의 정수여야 합니다. 아래 그림과 숫자는 마지막으로 올바른 값의 것입니다.`,
  paceNote: (multiplications, drawnAsSix) =>
    `한 걸음은 곱셈 ${multiplications}번, 한 채널의 창 하나입니다. 양쪽에 같은 수의 곱셈을 주므로 값싼 쪽이 먼저 끝납니다.${drawnAsSix ? ' 채널이 여섯보다 많으면 여섯 장으로 그립니다.' : ''}`,
  filters: (count, f, channels) => `${f}×${f}×${channels} 필터 ${count}개`,
  aFilterEach: (f) => `채널마다 ${f}×${f} 필터 하나`,
  filterAt: (sheet, of, row, column) => `필터 ${sheet}/${of}, ${row}행 ${column}열`,
  channelAt: (sheet, of, row, column) => `채널 ${sheet}/${of}, ${row}행 ${column}열`,
  done: (what) => `${what}: 끝`,
  ofMultiplications: (done, all) => `곱셈 ${all}번 중 ${done}번`,
  normalLabel: (f, nc, nk) =>
    `일반 합성곱: ${f}×${f}×${nc} 필터 ${nk}개가 저마다 입력 전체를 훑어 출력 채널을 하나씩 만듭니다`,
  depthwiseLabel: (f, nc) => `깊이별 합성곱: ${nc}개 채널이 저마다 ${f}×${f} 필터 하나로 채널을 하나씩 만듭니다`,
  pointwiseLabel: (nc, nk) => `점별 합성곱: 1×1×${nc} 필터 ${nk}개가 곳곳의 채널을 섞습니다`,
  separableSum: '분리, 두 단계',
  countsCaption: (n, f, nc, nk) => `n = ${n}, f = ${f}, 입력 채널 ${nc}개, 출력 채널 ${nk}개일 때의 곱셈 수`,
  fewer: (times) => `분리하면 여기서는 곱셈이 ${times}배 적습니다.`,
  savesNothing:
    '이 크기에서는 분리해도 아끼는 것이 없습니다. 출력 채널이 여럿이고 필터가 1 × 1보다 클 때 이득이 있습니다.',
  compiling: '컴파일하는 중…',
  runOf: (run, of) => `실행 ${run}/${of}…`,
  cancelled: '취소했습니다.',
  failed: '합성곱을 실행하지 못했습니다.',
  tooMuch: (multiplications, most) =>
    `곱셈 ${multiplications}번은 이 페이지가 실행하는 한도(${most})보다 많습니다. 더 작은 크기를 고르세요.`,
  separable: '분리',
  agree: '두 방법의 출력이 같습니다.',
  differ: '출력이 다릅니다.',
  counted: (fewer, faster) => `곱셈은 ${fewer}배 적고, 여기서는 ${faster}배 빠릅니다.`,
  countedSlower: (fewer, slower) => `곱셈은 ${fewer}배 적지만, 여기서는 ${slower}배 느립니다.`,
  why: '왜 같지 않을까요? 일을 시작하고 숫자를 넣고 꺼내는 값은 두 방법이 똑같이 치르고, 두 단계는 한 단계보다 그것이 많습니다. 또 깊이별 단계는 옮기는 바이트에 비해 곱셈이 적어서, 계산이 아니라 메모리를 기다립니다. 크기가 커질수록 두 숫자는 가까워집니다.',
  ranOn: (difference, largest, device, runs) =>
    `가장 큰 차이 ${difference} (가장 큰 값은 ${largest}). ${device}, ${runs}번 실행의 중앙값, 올리고 읽어 오는 시간 포함.`,
  blockSize: (side, channels) => `${side} × ${side} 곳, ${channels}채널에서`,
  blockSum: (all, normal, times) =>
    `곱셈 ${all}번. 깊이별과 점별 한 쌍마다 일반 합성곱 하나를 쓰면 ${normal}번, ${times}배입니다.`,
  multiplications: (count) => `곱셈 ${count}번`,
  blocks: {
    v1: {
      what: 'V1 (2017): 이 수업 그대로를 열세 번 이어 붙였습니다.',
      layers: [
        { name: '깊이별 3×3, ReLU6', why: '채널마다 따로 이웃을 봅니다.' },
        { name: '점별 1×1, ReLU6', why: '채널을 섞습니다.' },
      ],
    },
    v2: {
      what: 'V2 (2018): 뒤집힌 잔차 블록. 안은 넓고 블록 사이는 좁습니다.',
      layers: [
        expand,
        { name: '깊이별 3×3, ReLU6', why: '여섯 배의 채널에서 이웃을 보는데도 값이 쌉니다.' },
        project,
        add,
      ],
    },
    v3: {
      what: 'V3 (2019): 탐색으로 찾은 구조. hard-swish를 쓰고 그림 전체도 봅니다.',
      layers: [
        expand,
        { name: '깊이별 5×5, hard-swish', why: '채널마다 따로일 때는 넓게 보아도 값이 적게 듭니다.' },
        {
          name: '압축과 자극(squeeze-and-excitation)',
          why: '그림 전체에 걸친 채널의 평균이 그 채널이 얼마나 중요한지 말해 줍니다.',
        },
        project,
        add,
      ],
    },
    v4: {
      what: 'V4 (2024): 범용 뒤집힌 병목. 깊이별 합성곱이 맨 앞에도 올 수 있습니다.',
      layers: [
        { name: '깊이별 3×3', why: '확장하기 전, 채널이 적을 때 자리를 먼저 섞으면 거의 공짜입니다.' },
        { name: '확장 1×1, ReLU', why: expand.why },
        { name: '깊이별 5×5, ReLU', why: '많은 채널에서 한 번 더 봅니다. 깊이별 층은 어느 쪽이든 뺄 수 있습니다.' },
        project,
        add,
      ],
    },
  },
};
