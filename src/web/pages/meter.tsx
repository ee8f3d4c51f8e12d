export function MeterPage({ meterId }: { readonly meterId: string }) {
  return <h1>{meterId}</h1>
}
