/*
 * Key and certificate live in one file, written beside and renamed into place: there is no moment
 * at which a reader, or a crash, finds one without the other.
 *
 * Everything that a browser may be pointed to is in the certificate, so that accepting it once is
 * enough however the machine is addressed.
 */
#include "net/self_signed.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/str.h"
#include "base/text.h"
#include "net/log.h"
#include "net/server.h"

#define SECONDS_PER_DAY 86400

/** Room for the list of names. More addresses than fit are left out. */
#define NAMES_MAX 4096

DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)

/** Only what a certificate may carry, whatever somebody called the machine (RFC 5280 §4.2.1.6). */
static bool is_host_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
    return len > 0 && len < 64 && name[len] == 0 && name[0] != '-' && name[0] != '.';
}

static void put_addresses(struct text *names)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) < 0)
        return; /* the fixed names remain */
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        char ip[64];
        int family = i->ifa_addr ? i->ifa_addr->sa_family : AF_UNSPEC;
        if (family != AF_INET && family != AF_INET6)
            continue;
        size_t len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (getnameinfo(i->ifa_addr, (socklen_t)len, ip, sizeof(ip), NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        /* An address with a zone (fe80::1%eth0) cannot stand in a URL nor in a certificate. */
        if (!strchr(ip, '%') && strcmp(ip, "127.0.0.1") != 0 && strcmp(ip, "::1") != 0)
            text_printf(names, ",IP:%s", ip);
    }
    freeifaddrs(all);
}

static int add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    int ok = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return ok ? 0 : -EIO;
}

static int add_names(X509 *cert)
{
    char buf[NAMES_MAX], host[256] = "";
    struct text names;
    text_init(&names, buf, sizeof(buf));
    text_printf(&names, "DNS:localhost,IP:127.0.0.1,IP:::1");
    if (gethostname(host, sizeof(host) - 1) == 0 && is_host_name(host) &&
        strcmp(host, "localhost") != 0)
        text_printf(&names, ",DNS:%s", host);
    put_addresses(&names);
    return add_extension(cert, NID_subject_alt_name, buf);
}

static int add_serial(X509 *cert)
{
    /* RFC 5280 §4.1.2.2: positive, at most 20 bytes. Random, so that a browser that knew the
     * former one does not complain about a serial number used twice. */
    uint8_t bytes[16];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return -EIO;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    int ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return ok ? 0 : -EIO;
}

static int fill(X509 *cert, EVP_PKEY *key, int days)
{
    X509_NAME *name = X509_get_subject_name(cert);
    static const unsigned char common_name[] = "Duet (self-signed)";
    /* An hour back: the client's clock may be behind. */
    if (!X509_set_version(cert, X509_VERSION_3) ||
        !X509_gmtime_adj(X509_getm_notBefore(cert),
                         days < 0 ? (long)days * 2 * SECONDS_PER_DAY : -3600) ||
        !X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * SECONDS_PER_DAY) ||
        !X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) ||
        !X509_set_issuer_name(cert, name) || !X509_set_pubkey(cert, key))
        return -EIO;
    int r = add_serial(cert);
    if (r == 0)
        r = add_names(cert);
    if (r == 0)
        r = add_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
    if (r == 0)
        r = add_extension(cert, NID_key_usage, "critical,digitalSignature");
    if (r == 0)
        r = add_extension(cert, NID_ext_key_usage, "serverAuth");
    if (r == 0 && !X509_sign(cert, key, EVP_sha256()))
        r = -EIO;
    return r;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int replace_file(const char *path, const char *data, size_t len)
{
    char temporary[4096];
    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return -errno;
    int r = write_all(fd, data, len);
    if (close(fd) < 0 && r == 0)
        r = -errno;
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    if (r < 0)
        (void)unlink(temporary);
    return r;
}

int net_self_signed_make(const char *path, int days)
{
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    _cleanup_(X509_freep) X509 *cert = X509_new();
    /* A secure memory BIO wipes the key when it is freed. */
    _cleanup_(BIO_free_allp) BIO *pem = BIO_new(BIO_s_secmem());
    if (!key || !cert || !pem)
        return -ENOMEM;
    int r = fill(cert, key, days);
    if (r < 0)
        return r;
    if (!PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) ||
        !PEM_write_bio_X509(pem, cert))
        return -EIO;
    char *data;
    long len = BIO_get_mem_data(pem, &data);
    return replace_file(path, data, (size_t)len);
}

/** Never ask on the terminal, which is what OpenSSL does by default for an encrypted key. */
static int no_password(char *buf, int size, int is_write, void *user)
{
    (void)buf, (void)size, (void)is_write, (void)user;
    return -1;
}

/** The pair at path can be read, belongs together, and lasts for another day. */
static bool is_usable(const char *path)
{
    _cleanup_(BIO_free_allp) BIO *file = BIO_new_file(path, "r");
    if (!file)
        return false;
    _cleanup_(EVP_PKEY_freep) EVP_PKEY *key =
        PEM_read_bio_PrivateKey(file, NULL, no_password, NULL);
    _cleanup_(X509_freep) X509 *cert = PEM_read_bio_X509(file, NULL, NULL, NULL);
    if (!key || !cert || X509_check_private_key(cert, key) != 1)
        return false;
    time_t tomorrow = time(NULL) + SECONDS_PER_DAY;
    return X509_cmp_time(X509_get0_notAfter(cert), &tomorrow) > 0 &&
           X509_cmp_current_time(X509_get0_notBefore(cert)) < 0;
}

/** mkdir -p, the last part private. */
static int make_folder(const char *dir)
{
    char path[4096];
    if (!str_copy(str_of(dir), path, sizeof(path)))
        return -ENAMETOOLONG;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

int net_self_signed(const char *dir, char *path, size_t path_size, char *ret_error)
{
    if (!dir || !dir[0]) {
        snprintf(ret_error, NET_ERROR_MAX,
                 "state.dir: a folder is needed to keep the self-signed certificate in. Set it, or "
                 "set tls.cert and tls.key.");
        return NET_E_CONFIG;
    }
    if (snprintf(path, path_size, "%s/" NET_SELF_SIGNED_FILE, dir) >= (int)path_size) {
        snprintf(ret_error, NET_ERROR_MAX, "state.dir: the path is too long.");
        return NET_E_CONFIG;
    }
    ERR_clear_error();
    bool usable = is_usable(path);
    ERR_clear_error(); /* what a missing file left behind is nobody's error */
    if (usable)
        return 0;
    int r = make_folder(dir);
    if (r == 0)
        r = net_self_signed_make(path, NET_SELF_SIGNED_DAYS);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        snprintf(ret_error, NET_ERROR_MAX,
                 "state.dir: cannot write the self-signed certificate %.300s: %s. Make the folder "
                 "writable, choose another, or set tls.cert and tls.key.",
                 path, strerror(-r));
        return NET_E_CONFIG;
    }
    net_log(NET_LOG_INFO, "made a self-signed certificate: %s (valid for %d days)", path,
            NET_SELF_SIGNED_DAYS);
    return 0;
}
