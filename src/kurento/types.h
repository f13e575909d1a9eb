/** The rows of all types, one file each; types.c lists those that can be created. */
#ifndef KURENTO_TYPES_H
#define KURENTO_TYPES_H

#include "kurento/type.h"

/** The one object that is always there. */
#define KURENTO_MANAGER_ID "manager_ServerManager"

extern const struct kurento_type kurento_media_object_type;
extern const struct kurento_type kurento_server_manager_type;
extern const struct kurento_type kurento_media_pipeline_type;
extern const struct kurento_type kurento_media_element_type;
extern const struct kurento_type kurento_pass_through_type;
extern const struct kurento_type kurento_hub_type;
extern const struct kurento_type kurento_hub_port_type;
extern const struct kurento_type kurento_dispatcher_type;
extern const struct kurento_type kurento_dispatcher_one_to_many_type;
extern const struct kurento_type kurento_endpoint_type;
extern const struct kurento_type kurento_uri_endpoint_type;
extern const struct kurento_type kurento_recorder_endpoint_type;
extern const struct kurento_type kurento_player_endpoint_type;
extern const struct kurento_type kurento_session_endpoint_type;
extern const struct kurento_type kurento_sdp_endpoint_type;
extern const struct kurento_type kurento_base_rtp_endpoint_type;
extern const struct kurento_type kurento_webrtc_endpoint_type;
extern const struct kurento_type kurento_rtp_endpoint_type;

/** All that can be created. @param ret_n how many */
const struct kurento_type *const *kurento_types(size_t *ret_n);

#endif
