import { hydrateRoot } from 'react-dom/client';
import { Page } from './page.jsx';

const { known } = JSON.parse(document.getElementById('known').textContent);
hydrateRoot(document, <Page known={known} />);
