/** Where requests to dynamic security go; answers come on `<topic>/response`. */
export const dynsecControlTopic = '$CONTROL/dynamic-security/v1';
