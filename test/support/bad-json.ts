/** Payloads that are no JSON, or JSON that is no reading, by the reason of their dead letter. */

/**
 * The payload's text or bytes, and its name where the text is too long or too strange to be one.
 */
export type Row = readonly [payload: string | Buffer, name?: string]

const AT = '"at":"2026-11-20T00:00:00Z"'
const GOOD = `{${AT},"power_w":512.5}`
const times = (count: number, of: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => of(i))

/** Each function below has one part of the table. */
export function badJson(): Record<string, readonly Row[]>[] {
  return [
    noJson(),
    tooMuch(),
    noReadings(),
    badTimes(),
    badValues(),
    badHeads(),
    badNames(),
    repeatedKeys(),
  ]
}

function noJson(): Record<string, readonly Row[]> {
  const cut = times(GOOD.length - 1, (i) => GOOD.slice(0, i + 1)).filter((_, i) => i % 3 !== 1)
  const numbers = [
    'NaN',
    'Infinity',
    '-Infinity',
    '+1',
    '.5',
    '5.',
    '01',
    '0x1F',
    '1e',
    '1_000',
    '--1',
  ]
  return {
    'payload.empty': [[Buffer.alloc(0), 'no byte']],
    'payload.notJson': [
      ...cut.map((text): Row => [text]),
      ...numbers.map((number): Row => [`{${AT},"power_w":${number}}`]),
      [`${GOOD} x`],
      [`${GOOD}${GOOD}`],
      [`${GOOD}\n${GOOD}`, 'two lines of JSON'],
      [`{${AT},"power_w":1,}`],
      [`{${AT} "power_w":1}`],
      [`{${AT},power_w:1}`],
      [`{'at':'2026-11-20T00:00:00Z','power_w':1}`],
      [`{${AT},"power_w":undefined}`],
      [`/* */${GOOD}`],
      [`{${AT},"power_w":1)`],
      [`{${AT},"power\n_w":1}`, 'a line end in a text'],
      [`{${AT},"power_w\\x":1}`],
      [`[${GOOD},]`],
      ['hello'],
      ['   ', 'blanks'],
      [`\ufeff${GOOD}`, 'a byte order mark'],
      [Buffer.from(GOOD, 'utf16le'), 'UTF-16, little endian'],
    ],
    'payload.notText': [
      [Buffer.from(`{${AT},"zähler_w":1}`, 'latin1'), 'Latin-1'],
      [Buffer.from([0xff, 0xfe, 0x7b, 0x00]), 'UTF-16 with its mark'],
      [Buffer.concat([Buffer.from('{"'), Buffer.from([0x80]), Buffer.from('":1}')]), 'a lone tail'],
      [
        Buffer.concat([Buffer.from('{"'), Buffer.from([0xc0, 0xaf]), Buffer.from('":1}')]),
        'overlong',
      ],
      [
        Buffer.concat([Buffer.from('{"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('":1}')]),
        'half a pair',
      ],
      [Buffer.from([0x7b, 0x22, 0xe2, 0x82]), 'cut within a character'],
      [Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0x00]), 'gzip'],
    ],
  }
}

function tooMuch(): Record<string, readonly Row[]> {
  const long = [65_537, 70_000, 100_000, 262_144, 524_288, 1_000_000]
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  const inside = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
  const channels = times(1_025, (i) => `"c${i}":1`).join()
  return {
    'payload.tooLong': [
      ...long.map((n): Row => [GOOD.padEnd(n), `a reading and blanks, ${n} bytes`]),
      [Buffer.alloc(65_537), '65,537 zero bytes'],
      [Buffer.alloc(300_000, 0xff), '300,000 bytes that are no text'],
      [`[${times(2_000, () => GOOD).join()}]`, 'an array of 2,000 readings'],
    ],
    'payload.tooDeep': [
      [nested(33), '33 arrays'],
      [nested(10_000), '10,000 arrays'],
      ['['.repeat(60_000), '60,000 open arrays'],
      [inside(33), '33 objects'],
      [`{${AT},"power_w":${inside(5_000)}}`, 'a value of 5,000 objects'],
      [`[${GOOD},${nested(40)}]`, 'one deep element'],
    ],
    'payload.tooManyReadings': [[`[${times(4_097, () => '0').join()}]`, '4,097 elements']],
    'payload.tooManyMeasurements': [
      [`{${AT},${channels}}`, '1,025 channels'],
      [`{${AT},"measurements":{${channels}}}`, '1,025 measurements'],
    ],
  }
}

function noReadings(): Record<string, readonly Row[]> {
  return {
    'payload.emptyBatch': [['[]'], ['[ ]']],
    'payload.notReading': [
      ...['1', '"text"', 'true', 'false', 'null', '-0.5'].map((text): Row => [text]),
      ...['[1]', '["text"]', '[null]', '[true]', '[[]]', `[[${GOOD}]]`].map((text): Row => [text]),
    ],
    'payload.noTime': [
      ['{}'],
      ['[{}]'],
      ['{"power_w":1}'],
      ['{"at":null,"power_w":1}'],
      ['{"At":"2026-11-20T00:00:00Z","power_w":1}'],
      ['{"measurements":{"power_w":1}}'],
    ],
    'payload.noMeasurement': [
      [`{${AT}}`],
      [`{${AT},"seq":1}`],
      [`{${AT},"quality":"BAD"}`],
      [`{${AT},"measurements":{}}`],
    ],
    'payload.unknownKey': [
      [`{${AT},"measurements":{"power_w":1},"voltage_v":230}`],
      [`{${AT},"measurements":{"power_w":1},"tenant":"demo"}`],
      [`{${AT},"power_w":{"value":1,"unit":"W"}}`],
      [`{${AT},"power_w":{"a":1}}`],
    ],
  }
}

function badTimes(): Record<string, readonly Row[]> {
  const malformed = [
    ...['', 'now', '2026-11-20', '20261120T000000Z', '2026-11-20T00Z', '00:00:00Z', '1763600000'],
    ...['2026-W47-5T00:00:00Z', '2026-324T00:00:00Z', 'Fri, 20 Nov 2026 00:00:00 GMT'],
    ...['2026-11-20T00:00:00ZZ', '2026-11-20T00:00:00Z ', ' 2026-11-20T00:00:00Z'],
    ...['2026-11-20T00:00:00.Z', '2026-11-20T00:00:00+1:00', '2026-11-20T00:00:00+01:0'],
    ...['2026-11-20T00:00:00 UTC', '2026-11-20T00:00:00Z[UTC]', '+002026-11-20T00:00:00Z'],
    ...[
      '2026/11/20T00:00:00Z',
      '2026-11-20_00:00:00Z',
      '2026-11-20T0:00:00Z',
      '２026-11-20T00:00:00Z',
    ],
  ]
  const impossible = [
    ...[
      '2026-02-30T00:00:00Z',
      '2025-02-29T00:00:00Z',
      '2026-04-31T00:00:00Z',
      '2100-02-29T00:00:00Z',
    ],
    ...[
      '2026-13-01T00:00:00Z',
      '2026-00-10T00:00:00Z',
      '2026-11-00T00:00:00Z',
      '2026-11-31T00:00:00Z',
    ],
    ...[
      '2026-11-20T25:00:00Z',
      '2026-11-20T24:00:01Z',
      '2026-11-20T24:01:00Z',
      '2026-11-20T24:00:00.1Z',
    ],
    ...[
      '2026-11-20T00:60:00Z',
      '2026-11-20T00:00:61Z',
      '2026-11-20T12:00:60Z',
      '2026-11-20T23:59:60Z',
    ],
    ...['2026-11-20T00:00:00+24:00', '2026-11-20T00:00:00-01:60'],
  ]
  const zoneless = ['2026-11-20T00:00:00', '2026-11-20T00:00', '2026-11-20 00:00:00.5']
  const quoted = (text: string): Row => [`{"at":${JSON.stringify(text)},"power_w":1}`]
  const plain = (text: string): Row => [`{"at":${text},"power_w":1}`]
  return {
    'payload.badTime': [
      ...malformed.map(quoted),
      ...impossible.map(quoted),
      ...['true', 'false', '{}', '[]', '[1763600000]', '1e17', '1e300', '1e999'].map(plain),
    ],
    'payload.noZone': zoneless.map(quoted),
    'payload.tooEarly': [
      ...['0', '1', '-1', '-0', '12.5', '99999999', '-1e999'].map(plain),
      ...['1970-01-01T00:00:10Z', '1969-12-31T23:59:59Z', '0001-01-01T00:00:00Z'].map(quoted),
    ],
  }
}

function badValues(): Record<string, readonly Row[]> {
  const of = (value: string): Row => [`{${AT},"power_w":${value}}`]
  const texts = ['"1"', '"512,5"', '""', '"NaN"', '"on"', '"12 W"']
  return {
    'payload.badValue': [
      ...texts.map(of),
      ...['true', 'false', '[]', '[1]', '{}'].map(of),
      ...['{"value":"1"}', '{"value":true}', '{"value":[1]}', '{"quality":"BAD"}'].map(of),
      ...['null', '5', '"x"', '[]', '[{"channel":"power_w","value":1}]'].map((value): Row => [
        `{${AT},"measurements":${value}}`,
      ]),
      [`{${AT},"measurements":{"power_w":"1"}}`],
      [`[{${AT},"power_w":true}]`],
    ],
    'payload.notFinite': ['1e999', '-1e999', '{"value":1e400}', `1${'0'.repeat(400)}`].map(of),
    'payload.outOfRange': ['1.1e15', '-1e16', '1e308', '{"value":-1e100}'].map(of),
  }
}

function badHeads(): Record<string, readonly Row[]> {
  const seq = ['"1"', '1.5', 'true', '9007199254740993', '-9007199254740993', '1e300', '{}', '[]']
  const quality = ['"good"', '"measured"', '"Measured "', '1', 'null', '""', 'true', '[]', '{}']
  return {
    'payload.badSeq': seq.map((value): Row => [`{${AT},"power_w":1,"seq":${value}}`]),
    'payload.badQuality': [
      ...quality.map((value): Row => [`{${AT},"power_w":1,"quality":${value}}`]),
      [`{${AT},"power_w":{"value":1,"quality":"GOOD"}}`],
    ],
  }
}

function badNames(): Record<string, readonly Row[]> {
  const names = [
    '',
    ' x',
    '+',
    '#',
    '/',
    'a/b',
    'a+b',
    'a#b',
    '$SYS',
    '\u0000',
    'a\u001fb',
    'a\u007f',
  ]
  const kept = ['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty']
  const of = (name: string): Row => [`{${AT},${JSON.stringify(name)}:1}`]
  return {
    'payload.badChannel': [
      ...names.map(of),
      ...kept.map(of),
      [`{${AT},"${'x'.repeat(257)}":1}`, 'a name of 257 characters'],
      [`{${AT},"\\ud800":1}`],
      [`{${AT},"__proto__":{"power_w":1}}`],
      [`{${AT},"measurements":{"__proto__":1}}`],
      [`{${AT},"measurements":{"constructor":{"value":1}}}`],
    ],
  }
}

function repeatedKeys(): Record<string, readonly Row[]> {
  return {
    'payload.duplicateKey': [
      [`{${AT},${AT},"power_w":1}`],
      [`{${AT},"power_w":1,"power_w":2}`],
      [`{${AT},"power_w":1,"power_w":1}`],
      [`{${AT},"power_w":1,"power\\u005fw":2}`],
      [`{${AT},"power_w":1,"seq":1,"seq":2}`],
      [`{${AT},"measurements":{"power_w":1,"power_w":2}}`],
      [`{${AT},"power_w":{"value":1,"value":2}}`],
      [`{${AT},"__proto__":1,"__proto__":2}`],
      [`[{${AT},"power_w":1,"power_w":2}]`],
    ],
  }
}
