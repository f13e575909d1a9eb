/* The exporter's bytes stand as client key, server key, client salt, server salt (RFC 5764 §4.2);
 * which of them are ours follows from the role. */
#include "dtls/srtp_keys.h"

#include <openssl/srtp.h>
#include <openssl/ssl.h>

bool dtls_srtp_keys_export(SSL *ssl, bool is_client, struct dtls_srtp_keys *ret)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    const SRTP_PROTECTION_PROFILE *profile = SSL_get_selected_srtp_profile(ssl);
    if (!profile)
        return false;
    ret->profile = (enum dtls_srtp_profile)profile->id;
    ret->is_client = is_client;
    ret->key_len = 16;
    ret->salt_len = ret->profile == DTLS_SRTP_AEAD_AES_128_GCM ? 12 : 14;
    ret->material_len = 2u * ret->key_len + 2u * ret->salt_len;
    if (SSL_export_keying_material(ssl, ret->material, ret->material_len, label, sizeof(label) - 1,
                                   NULL, 0, 0) != 1)
        return false;
    const uint8_t *client_key = ret->material;
    const uint8_t *server_key = client_key + ret->key_len;
    const uint8_t *client_salt = server_key + ret->key_len;
    const uint8_t *server_salt = client_salt + ret->salt_len;
    ret->local_key = is_client ? client_key : server_key;
    ret->local_salt = is_client ? client_salt : server_salt;
    ret->remote_key = is_client ? server_key : client_key;
    ret->remote_salt = is_client ? server_salt : client_salt;
    return true;
}
