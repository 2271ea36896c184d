/** Die Wörter der Kundenseiten. */
export const deTenant = {};
