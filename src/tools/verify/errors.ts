import { errorTable } from '../../kernel/errors.ts'

export const verifyErrors = errorTable('verify', {
  badLedgerLine: {
    domain: 'user',
    retryable: false,
    message: (f: { path: string; line: number; text: string }) =>
      `${f.path}:${f.line} is no line of a ledger: '${f.text}'; a ledger is written by ` +
      '`meterloom simulate --ledger` or `replay --ledger`, one JSON object a line',
  },
  brokenExport: {
    domain: 'external',
    retryable: true,
    message: (f: { detail: string }) =>
      `QuestDB broke off the rows that it was asked for (${f.detail}); try again, and look at ` +
      'its log',
  },
  noLedger: {
    domain: 'user',
    retryable: false,
    message: (f: { path: string; detail: string }) =>
      `the ledger ${f.path} cannot be read (${f.detail}); check --ledger`,
  },
})
