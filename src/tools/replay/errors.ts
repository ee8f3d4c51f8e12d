import { errorTable } from '../../kernel/errors.ts'

export const replayErrors = errorTable('replay', {
  unknownZone: {
    domain: 'user',
    retryable: false,
    message: (f: { zone: string }) =>
      `'${f.zone}' is no time zone; give an IANA name, such as Europe/Berlin, or UTC`,
  },
  unreadable: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; detail: string }) => `${f.file} cannot be read: ${f.detail}`,
  },
  badHeader: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; header: string; detail: string }) =>
      `${f.file}:1: the header '${f.header}' ${f.detail}; known forms: ` +
      "'timestamp,CHANNEL...' (the meter is the file's name) and " +
      "'meter_id,at,channel,value[,quality]'",
  },
  badMeter: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; meterId: string }) =>
      `${f.file}: its name makes '${f.meterId}' the meter, which may not have / + # in it; ` +
      'rename it',
  },
  lineTooLong: {
    domain: 'user',
    retryable: false,
    message: (f: { file: string; line: number; charactersMax: number }) =>
      `${f.file}:${f.line}: a row of more than ${f.charactersMax} characters; a quote is not ` +
      'closed, or the file is no CSV',
  },
  nothingToRead: {
    domain: 'user',
    retryable: false,
    message: (f: { files: number }) =>
      `none of the ${f.files} files holds a reading, so that --until now has no last one to shift`,
  },
})
