// Runs before the first paint: the theme that the person chose, where one was chosen.
try {
  const theme = localStorage.getItem('meterloom.theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage is forbidden here: the system's theme stays.
}
