import { render } from 'preact'
import { App } from './app.tsx'
import { startLive } from './live/client.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/parts.css'
import './styles/tables.css'
import './styles/pages.css'
import './styles/chart.css'

startLive()
render(<App />, document.getElementById('app')!)
