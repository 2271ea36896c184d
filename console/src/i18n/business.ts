import { enBusiness } from './en.business';
import i18n from './index';

// Words of pages that are not part of the first load: whoever shows them imports this file. German comes whole.
i18n.addResourceBundle('en', 'translation', enBusiness, true, false);
