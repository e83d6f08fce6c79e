/** Names of the XACML 3.0 core specification (chapter 10.2 and appendix B) that the code speaks of. */
export const namespace = 'urn:oasis:names:tc:xacml:3.0:core:schema:wd-17';

const xacml1 = 'urn:oasis:names:tc:xacml:1.0:';
const xacml3 = 'urn:oasis:names:tc:xacml:3.0:';

export const statusCodes = {
  ok: `${xacml1}status:ok`,
  missingAttribute: `${xacml1}status:missing-attribute`,
  syntaxError: `${xacml1}status:syntax-error`,
  processingError: `${xacml1}status:processing-error`,
} as const;

export const environmentCategory = `${xacml3}attribute-category:environment`;

/** The attributes a PDP gives itself (appendix B.7). */
export const clockAttributes = {
  time: `${xacml1}environment:current-time`,
  date: `${xacml1}environment:current-date`,
  dateTime: `${xacml1}environment:current-dateTime`,
} as const;

export const xpathVersion1 = 'http://www.w3.org/TR/1999/REC-xpath-19991116';
