import { render } from 'preact'

render(<main>Meterloom</main>, document.getElementById('app')!)
